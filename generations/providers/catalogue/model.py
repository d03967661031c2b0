"""The declaration of a model: what it does, its fields, inputs, costs, sizes and formats."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from generations.providers.base import OutputKind
from generations.providers.catalogue.fields import Choice, Field, Number
from generations.providers.catalogue.inputs import Input
from generations.providers.catalogue.operations import Operation

# A rule over several fields and inputs: takes the cleaned parameters and the roles that have an image, and
# returns a sentence for each field or role that is wrong.
Rule = Callable[[Mapping[str, Any], Collection[str]], Mapping[str, str]]


NEXT_STEP = "next_step"  # what the parameters of a next step have its name as
STYLE_NAME = "style_name"  # the field in which people name a style that they make; it is not the provider's


@dataclass(frozen=True, eq=False)  # each is declared once: it equals itself, and can be a key
class Model:
    """One model; costs are hundredths of a US cent per call, which are hundredths of Stability's credit.

    `operations` are what people do with it; the first is its own. `languages` are those that prompts may be
    in, () for any. A model whose provider answers with a task
    has `task_seconds`: how long it is polled before it is given up. `call_seconds` are for a call in all,
    None for the engine's own limit. `step_costs` are of next steps by their names, where one costs otherwise
    than the model, and `step_help` says what they do where their titles are short. A model that `continues`
    orders the next step of this name, which the request's image must offer, with what its form adds to it;
    only the account that made the image can do it. `choice_costs` are what a call costs with the values of a
    choice where that differs, by field and value; the differences of several fields add up. `image_cost` is
    what each image adds that goes with a request. An account at the maker works on `max_in_flight` requests
    for it at the same time, None for as many as for any model. Of `languages` a model that takes any has
    none.
    """

    name: str
    title: str
    clause: str  # what it is good at, for its card: at most 26 letters
    base_cost: int
    expected_seconds: int
    sizes: Mapping[str, tuple[int, int]]
    fields: tuple[Field, ...]
    languages: tuple[str, ...] = ("en",)
    included_steps: int | None = None  # above these the cost grows in proportion
    image_cost: int = 0
    max_in_flight: int | None = None
    operations: tuple[Operation, ...] = (Operation.GENERATE,)
    inputs: tuple[Input, ...] = ()
    output: OutputKind = OutputKind.IMAGE
    rules: tuple[Rule, ...] = ()
    call_seconds: float | None = None
    task_seconds: float | None = None
    step_costs: Mapping[str, int] = field(default_factory=dict)
    step_help: Mapping[str, str] = field(default_factory=dict)
    continues: str = ""
    sold_as: tuple[str, ...] = ()
    choice_costs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def field(self, name: str) -> Field:
        """Return the field of this name; KeyError if there is none."""
        return self._by_name[name]

    def takes(self, name: str) -> bool:
        """Return whether the model has a field of this name."""
        return name in self._by_name

    def input(self, role: str) -> Input | None:
        """Return the input of this role, None if the model takes none."""
        return next((each for each in self.inputs if each.role == role), None)

    @property
    def style_fields(self) -> tuple[Choice, ...]:
        """The fields that offer styles which a team has made."""
        return tuple(each for each in self.fields if isinstance(each, Choice) and each.made_with)

    def made_styles(self, parameters: Mapping[str, Any]) -> dict[str, str]:
        """Return the styles made by a team that validated parameters name: ids by the names of fields."""
        named = [(field, str(parameters.get(field.name, ""))) for field in self.style_fields]
        return {field.name: value for field, value in named if field.is_made(value)}

    @property
    def operation(self) -> Operation:
        """What the model does first of all."""
        return self.operations[0]

    def cost(self, parameters: Mapping[str, Any], images: int = 0) -> int:
        """Return the list price of one image with these validated parameters and so many images.

        Of a next step, if the parameters name one that costs otherwise.
        """
        if (cost := self.step_costs.get(str(parameters.get(NEXT_STEP)))) is not None:
            return cost
        return self._cost_without_images(parameters) + images * self.image_cost

    def _cost_without_images(self, parameters: Mapping[str, Any]) -> int:
        steps: int = parameters.get("steps", 0)
        if self.included_steps is None or steps <= self.included_steps:
            chosen = [costs.get(parameters.get(name, "")) for name, costs in self.choice_costs.items()]
            return self.base_cost + sum(cost - self.base_cost for cost in chosen if cost is not None)
        return -(-self.base_cost * steps // self.included_steps)  # rounded up

    @property
    def lowest_cost(self) -> int:
        """The list price of the cheapest call."""
        return self.base_cost + sum(
            min(0, *(cost - self.base_cost for cost in costs.values()))
            for costs in self.choice_costs.values()
        )

    def size(self, aspect_ratio: str = "1:1") -> tuple[int, int]:
        """Return the expected width and height, for display; the received image may differ.

        A square for an aspect ratio without a size, as with a model that has no sizes.
        """
        return self.sizes.get(aspect_ratio, (1024, 1024))

    @property
    def largest_seed(self) -> int:
        """The largest seed; 0 without a seed field."""
        field = self._by_name.get("seed")
        return int(field.maximum) if isinstance(field, Number) else 0

    @property
    def formats(self) -> tuple[str, ...]:
        """The possible file formats of the image."""
        field = self._by_name.get("output_format")
        return field.values if isinstance(field, Choice) else ("png",)

    @property
    def _by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}
