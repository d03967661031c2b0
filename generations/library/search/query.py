"""A search of the library, as it is written in a query string."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations.library.imaging import aspect_ratio as imaging_aspect_ratio
from generations.library.search import terms as search_terms
from generations.library.search.day_filters import DayFilter, FirstDayFilter
from generations.library.search.filters import (
    BatchFilter,
    ChoiceFilter,
    CollectionFilter,
    Filter,
    FlagFilter,
    PeopleFilter,
    SeedFilter,
    TagFilter,
    TextFilter,
)
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.operations import TITLES as OPERATION_TITLES
from generations.providers.catalogue.operations import Operation


def _operation_of(model: str) -> str:
    declared = catalogue_registry.MODELS.get(model)
    return declared.operation.value if declared else ""


@dataclass(frozen=True)
class Search:
    """Text and filters, all of which must match; each field declares the filter that it belongs to.

    The chips of the library's page come in this order. To add a filter by values of a fixed list, add a field
    with a `ChoiceFilter`: parsing, index terms, search and the chip on the page follow from it.

    `since` and `until` are days in the member's time zone, both included.
    """

    q: str = field(default="", metadata={"filter": TextFilter("q", gettext_lazy("Words"))})
    who: tuple[int, ...] = field(default=(), metadata={"filter": PeopleFilter("who", gettext_lazy("Who"))})
    since: date | None = field(
        default=None, metadata={"filter": FirstDayFilter("since", gettext_lazy("Date"))}
    )
    until: date | None = field(default=None, metadata={"filter": DayFilter("until", gettext_lazy("Date"))})
    model: tuple[str, ...] = field(
        default=(),
        metadata={
            "filter": ChoiceFilter(
                "model",
                gettext_lazy("Model"),
                titles=catalogue_registry.model_titles,
                value_of=lambda image: image.model,
                term=search_terms.model,
            )
        },
    )
    operation: tuple[str, ...] = field(
        default=(),
        metadata={
            "filter": ChoiceFilter(
                "operation",
                gettext_lazy("Operation"),
                titles=lambda: {
                    each.value: _(OPERATION_TITLES[each])
                    for each in Operation
                    if any(model.operation is each for model in catalogue_registry.MODELS.values())
                },
                value_of=lambda image: _operation_of(image.model),
                term=search_terms.operation,
            )
        },
    )
    style: tuple[str, ...] = field(
        default=(),
        metadata={
            "filter": ChoiceFilter(
                "style",
                gettext_lazy("Style"),
                titles=lambda: {name: _(title) for name, title in catalogue_registry.STYLES.items()},
                value_of=lambda image: str(image.parameters.get("style_preset") or ""),
                term=search_terms.style,
            )
        },
    )
    shape: tuple[str, ...] = field(
        default=(),
        metadata={
            "filter": ChoiceFilter(
                "shape",
                gettext_lazy("Shape"),
                titles=lambda: {shape: shape for shape in catalogue_registry.SHAPES},
                value_of=lambda image: imaging_aspect_ratio.nearest(image.width, image.height),
                term=search_terms.shape,
            )
        },
    )
    tag: tuple[str, ...] = field(default=(), metadata={"filter": TagFilter("tag", gettext_lazy("Tag"))})
    collection: uuid.UUID | None = field(
        default=None, metadata={"filter": CollectionFilter("collection", gettext_lazy("Collection"))}
    )
    seed: int | None = field(default=None, metadata={"filter": SeedFilter("seed", gettext_lazy("Seed"))})
    batch: uuid.UUID | None = field(
        default=None, metadata={"filter": BatchFilter("batch", gettext_lazy("Batch"))}
    )
    liked: bool = field(
        default=False,
        metadata={
            "filter": FlagFilter(
                "liked",
                gettext_lazy("Favourites"),
                text="1",
                other="0",
                term=lambda member: search_terms.favourite(member.pk),
            )
        },
    )
    oldest: bool = field(
        default=False,
        metadata={"filter": FlagFilter("order", gettext_lazy("Order"), text="oldest", other="newest")},
    )

    @classmethod
    def declared(cls) -> list[Filter[Any]]:
        """Return all filters."""
        return [each.metadata["filter"] for each in dataclasses.fields(cls)]

    @classmethod
    def from_query(cls, query: QueryDict) -> Search:
        """Parse a query string. Values that make no sense are ignored; Http404 for a malformed id."""
        return cls(**{each.name: each.metadata["filter"].parse(query) for each in dataclasses.fields(cls)})

    def filters(self) -> Iterator[tuple[Filter[Any], Any]]:
        """Yield each filter with its value in this search."""
        for each in dataclasses.fields(self):
            yield each.metadata["filter"], getattr(self, each.name)

    def parameters(self) -> list[tuple[str, str]]:
        """Return the names and values of the query string."""
        return [
            (declared.parameter, text)
            for declared, value in self.filters()
            for text in declared.serialize(value)
        ]

    def query_string(self) -> str:
        """Return the query string without the question mark; "" for a search for everything."""
        return urlencode(self.parameters())

    def replace(self, **changes: Any) -> Search:
        """Return the same search with other values."""
        return dataclasses.replace(self, **changes)

    def without(self, *names: str) -> Search:
        """Return the same search without the values of these fields."""
        return self.replace(**{name: getattr(type(self), name) for name in names})

    @property
    def is_everything(self) -> bool:
        """True if every image matches."""
        return self.without("oldest") == type(self)()
