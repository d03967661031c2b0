"""The declaration of a model: what it does, its fields, inputs, costs, sizes and formats."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from generations.providers.base import OutputKind
from generations.providers.catalogue.fields import Choice, Field, Number
from generations.providers.catalogue.inputs import Input
from generations.providers.catalogue.operations import Operation

# A rule over several fields and inputs: takes the cleaned parameters and the roles that have an image, and
# returns a sentence for each field or role that is wrong.
Rule = Callable[[Mapping[str, Any], Collection[str]], Mapping[str, str]]


@dataclass(frozen=True)
class Model:
    """One model; costs are hundredths of a credit per call.

    `operations` are what people do with it; the first is its own. A model whose provider answers with a task
    has `task_seconds`: how long it is polled before it is given up. `call_seconds` are for a call in all,
    None for the engine's own limit.
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
    operations: tuple[Operation, ...] = (Operation.GENERATE,)
    inputs: tuple[Input, ...] = ()
    output: OutputKind = OutputKind.IMAGE
    rules: tuple[Rule, ...] = ()
    call_seconds: float | None = None
    task_seconds: float | None = None

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
    def operation(self) -> Operation:
        """What the model does first of all."""
        return self.operations[0]

    def cost(self, parameters: Mapping[str, Any]) -> int:
        """Return the list price of one image with these validated parameters."""
        steps: int = parameters.get("steps", 0)
        if self.included_steps is None or steps <= self.included_steps:
            return self.base_cost
        return -(-self.base_cost * steps // self.included_steps)  # rounded up

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
