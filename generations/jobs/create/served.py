"""What a member may do on Create: the operations and models that an enabled account serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

from django.utils.translation import gettext as _

from generations.jobs import model_access
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import TITLES, Operation
from generations.teams.models import Membership, User
from generations.upstreams import accounts

DEFAULTS_KEY = "defaults"  # in User.preferences
FIRST_OPERATIONS = 4  # in sight; the rest is under More
# Lucide icons.
ICONS: Mapping[Operation, str] = MappingProxyType(
    {
        Operation.GENERATE: "sparkles",
        Operation.EDIT: "wand-sparkles",
        Operation.OUTPAINT: "expand",
        Operation.UPSCALE: "image-up",
        Operation.ERASE: "eraser",
        Operation.REMOVE_BACKGROUND: "scissors",
        Operation.RELIGHT: "wallpaper",
        Operation.REPLACE: "replace",
        Operation.RECOLOR: "palette",
        Operation.SKETCH: "pencil-line",
        Operation.STRUCTURE: "layers",
        Operation.STYLE: "swatch-book",
        Operation.STYLE_TRANSFER: "blend",
        Operation.MAKE_STYLE: "brush",
        Operation.VECTORIZE: "pen-tool",
        Operation.DESCRIBE: "text-select",
        Operation.SHORTEN: "receipt-text",
        Operation.BLEND: "combine",
        Operation.SWAP_FACE: "scan-face",
        Operation.VARY: "shuffle",
        Operation.FOLLOW_UP: "arrow-down",
    }
)
# What a picture offers, beside a link to its own request.
OF_A_PICTURE = (Operation.EDIT, Operation.OUTPAINT, Operation.UPSCALE, Operation.REMOVE_BACKGROUND)


@dataclass(frozen=True)
class OperationEntry:
    """An operation as pages show it."""

    operation: Operation

    @property
    def name(self) -> str:
        """Its name in addresses and forms."""
        return self.operation.value

    @property
    def title(self) -> str:
        """Its title, translated."""
        return _(TITLES[self.operation])

    @property
    def icon(self) -> str:
        """Its icon."""
        return ICONS[self.operation]


class ServedModels:
    """The models that an enabled account serves and the member's role may use; recently used ones first.

    `order` are the names of models as a page shows them already: there they keep their places.
    """

    def __init__(self, member: Membership, order: Sequence[str] = ()) -> None:
        self.accounts = accounts.enabled()
        names = accounts.served_models(self.accounts)
        served = [model for model in catalogue_registry.MODELS.values() if model.name in names]
        closed = model_access.closed_models(member)
        self.closed = [model.title for model in served if model.name in closed]
        recent: Sequence[str] = order or preferences_of(member).get("models", [])
        self._place = place = {name: index for index, name in enumerate(recent)}
        self.models = sorted(
            (model for model in served if model.name not in closed),
            key=lambda model: place.get(model.name, len(recent)),
        )

    @property
    def order(self) -> list[str]:
        """The names that put the models in their order, as `order`: the rest stands as it is declared."""
        placed = [model.name for model in self.models if model.name in self._place]
        return placed or [model.name for model in self.models[:1]]

    @cached_property
    def operations(self) -> list[OperationEntry]:
        """The operations that can be chosen. Next steps come from a result, not from this list."""
        served = {operation for model in self.models for operation in model.operations}
        return [OperationEntry(each) for each in Operation if each in served - {Operation.FOLLOW_UP}]

    @property
    def first_operations(self) -> tuple[OperationEntry, ...]:
        """Those in sight."""
        return tuple(self.operations[:FIRST_OPERATIONS])

    @property
    def more_operations(self) -> tuple[OperationEntry, ...]:
        """Those under More."""
        return tuple(self.operations[FIRST_OPERATIONS:])

    @property
    def of_a_picture(self) -> tuple[OperationEntry, ...]:
        """What can be done with any picture."""
        return tuple(entry for entry in self.operations if entry.operation in OF_A_PICTURE)

    def of(self, operation: Operation) -> list[Model]:
        """The models for an operation."""
        return [model for model in self.models if operation in model.operations]

    def operation(self, name: str, model: str) -> Operation:
        """The operation of that name if it is served; else that of the model, or the first one."""
        served = [entry.operation for entry in self.operations]
        wanted = next((each for each in served if each.value == name), None)
        if wanted is None and (known := self._model(model)):
            wanted = next((each for each in known.operations if each in served), None)
        return wanted or next(iter(served), Operation.GENERATE)

    def model(self, operation: Operation, name: str, *, role: str = "") -> Model | None:
        """The model of that name if it does the operation, else one that does; None without any.

        That is the first one, with `role` the first that takes an image in that role if there is one.
        """
        models = self.of(operation)
        fitting = [model for model in models if model.name == name]
        fitting += [model for model in models if model.input(role)] if role else []
        return next(iter([*fitting, *models]), None)

    def _model(self, name: str) -> Model | None:
        return next((model for model in self.models if model.name == name), None)


def defaults_of(user: User) -> dict[str, Any]:
    """`model` and `count` that the user chose to begin with on their profile; each only if chosen."""
    stored = user.preferences.get(DEFAULTS_KEY)
    return stored if isinstance(stored, dict) else {}


def preferences_of(member: Membership) -> dict[str, Any]:
    """What the user chose last on Create."""
    return member.user.preferences.get("create", {}) if member.user else {}
