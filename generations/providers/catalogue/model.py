"""What the catalogue says of one model: what it takes, what it costs, what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generations.providers.catalogue.fields import Choice, Field, Number


@dataclass(frozen=True)
class Model:
    """One model; costs are hundredths of a credit per picture."""

    name: str
    title: str
    clause: str  # what it is good at, at most 26 letters: it stands on a card
    base_cost: int
    expected_seconds: int
    sizes: Mapping[str, tuple[int, int]]
    fields: tuple[Field, ...]
    languages: tuple[str, ...] = ("en",)
    included_steps: int | None = None  # more steps than these cost more in proportion

    def field(self, name: str) -> Field:
        """The field of this name; KeyError if the model takes none."""
        return self._by_name[name]

    def takes(self, name: str) -> bool:
        """True if the model has a field of this name."""
        return name in self._by_name

    def cost(self, parameters: Mapping[str, Any]) -> int:
        """What one picture with these cleaned parameters costs at the list price."""
        steps: int = parameters.get("steps", 0)
        if self.included_steps is None or steps <= self.included_steps:
            return self.base_cost
        return -(-self.base_cost * steps // self.included_steps)  # rounded up

    def size(self, aspect_ratio: str = "1:1") -> tuple[int, int]:
        """Width and height to expect, for display: what arrives may differ.

        No table is published: docs/providers/stability.md, "Sizes".
        """
        return self.sizes[aspect_ratio]

    @property
    def largest_seed(self) -> int:
        """The last seed that the model takes; 0 if it takes none."""
        field = self._by_name.get("seed")
        return int(field.maximum) if isinstance(field, Number) else 0

    @property
    def formats(self) -> tuple[str, ...]:
        """The file formats that can come back."""
        field = self._by_name.get("output_format")
        return field.values if isinstance(field, Choice) else ("png",)

    @property
    def _by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}
