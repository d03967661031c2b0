"""The filters of a search: query parameter, label, choices, index terms, and the chip on the library's page.

A filter is declared by one field of `Search` in `query.py`. A filter by values of a fixed list is a
`ChoiceFilter` and needs no template; other kinds are subclasses of `Filter`, here and in `day_filters.py`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from django.db.models import F
from django.http import Http404, QueryDict
from django.utils.translation import gettext as _

from generations.core.prepared_queries import Param, PreparedQuery
from generations.core.request_params import uuid_or_404
from generations.library.models import Collection, Image, Tag
from generations.library.search import parser as search_parser
from generations.library.search import terms as search_terms
from generations.library.search import tokenizer
from generations.teams.models import Membership

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from generations.library.search.query import Search

MAX_VALUES = 50  # of one filter
MAX_PEOPLE = 200  # offered by the filter of people

Value = TypeVar("Value")
_people = PreparedQuery(
    lambda: (
        Membership.objects.filter(team=Param("team"))
        .select_related("user")
        .order_by(F("ended_at").asc(nulls_first=True), "pk")[:MAX_PEOPLE]
    )
)


@dataclass(frozen=True)
class Choice:
    """One value that a filter offers."""

    value: str
    title: str
    is_chosen: bool = False
    query_string: str = ""  # of the search with this value, where a choice is a link


@dataclass(frozen=True)
class Page:
    """What a filter needs to know of the page to offer choices. `today` is in the member's time zone."""

    member: Membership
    search: Search
    today: date
    collections: list[Collection]  # those of the sidebar

    def query_string(self, **changes: Any) -> str:
        """Return the query string of the search with other values."""
        return self.search.replace(**changes).query_string()


class Filter(Generic[Value]):
    """A filter with one value in a search; `parse` returns the default for input that makes no sense."""

    chip: ClassVar[str] = ""  # the kind of chip, by which a template shows it; "" for none
    default: Value

    def __init__(self, parameter: str, label: _StrPromise | str = "") -> None:
        self.parameter = parameter
        self.label = label

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of `Search` that the chip's clear button resets."""
        return (self.parameter,)

    def parse(self, query: QueryDict) -> Value:
        """Return the value from a query string."""
        raise NotImplementedError

    def serialize(self, value: Value) -> list[str]:
        """Return the parameter's values in a query string; none for the default."""
        return [] if value == self.default else [str(value)]

    def unreadable(self, member: Membership, values: list[str]) -> list[str]:
        """Return those of a query string's values that mean nothing, or nothing to this member."""
        return []

    def required_terms(self, member: Membership, value: Value) -> Iterable[str]:
        """Return index terms that an image must all have. Http404 for what the member may not see."""
        return ()

    def alternative_terms(self, value: Value) -> tuple[str, ...]:
        """Return index terms of which an image must have at least one; () for no condition."""
        return ()

    def document_terms(self, image: Image) -> Iterable[str]:
        """Return the index terms by which this filter finds the image, from the image's own row."""
        return ()

    def choices(self, page: Page, value: Value) -> list[Choice]:
        """Return the values that the chip offers."""
        return []

    def summary(self, page: Page, value: Value, choices: list[Choice]) -> str:
        """Return what is chosen, in words; "" if the filter is not in use."""
        return ", ".join(choice.title for choice in choices if choice.is_chosen)


class ChoiceFilter(Filter[tuple[str, ...]]):
    """Any number of values of a fixed list, of which an image must have one.

    `titles` returns the translated title of each value, `value_of` the value of an image ("" for none), and
    `term` the index term of a value.
    """

    chip = "choices"
    default: tuple[str, ...] = ()

    def __init__(
        self,
        parameter: str,
        label: _StrPromise | str,
        *,
        titles: Callable[[], Mapping[str, str]],
        value_of: Callable[[Image], str],
        term: Callable[[str], str],
    ) -> None:
        super().__init__(parameter, label)
        self.titles = titles
        self.value_of = value_of
        self.term = term

    def parse(self, query: QueryDict) -> tuple[str, ...]:
        known = self.titles()
        return tuple(dict.fromkeys(value for value in query.getlist(self.parameter) if value in known))

    def unreadable(self, member: Membership, values: list[str]) -> list[str]:
        known = self.titles()
        return [value for value in values if value not in known]

    def serialize(self, value: tuple[str, ...]) -> list[str]:
        return list(value)

    def alternative_terms(self, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(self.term, value))

    def document_terms(self, image: Image) -> Iterable[str]:
        value = self.value_of(image)
        return [self.term(value)] if value else ()

    def choices(self, page: Page, value: tuple[str, ...]) -> list[Choice]:
        return [Choice(name, title, name in value) for name, title in self.titles().items()]


class PeopleFilter(Filter[tuple[int, ...]]):
    """Images of any of several members."""

    chip = "choices"
    default: tuple[int, ...] = ()

    def parse(self, query: QueryDict) -> tuple[int, ...]:
        return tuple(_whole_numbers(query.getlist(self.parameter)))

    def unreadable(self, member: Membership, values: list[str]) -> list[str]:
        """Those who never were in the team."""
        numbers = _whole_numbers(values)
        known = Membership.objects.filter(team=member.team_id, pk__in=numbers).values_list("pk", flat=True)
        people = {str(pk) for pk in known}
        return [value for value in values if value.lstrip("0") not in people]

    def serialize(self, value: tuple[int, ...]) -> list[str]:
        return list(map(str, value))

    def alternative_terms(self, value: tuple[int, ...]) -> tuple[str, ...]:
        return tuple(map(search_terms.owner, value))

    def document_terms(self, image: Image) -> Iterable[str]:
        return [search_terms.owner(image.owner_id)]

    def choices(self, page: Page, value: tuple[int, ...]) -> list[Choice]:
        """Present and former members; the chosen ones come first."""
        names = {each.pk: str(each) for each in _people.all(team=page.member.team_id)}
        chosen = [Choice(str(pk), names.get(pk, _("somebody else")), is_chosen=True) for pk in value]
        others = sorted((pk for pk in names if pk not in value), key=lambda pk: (names[pk].casefold(), pk))
        return [*chosen, *(Choice(str(pk), names[pk]) for pk in others)]


class TagFilter(Filter[tuple[str, ...]]):
    """Images with all of several tags, each given by its key."""

    chip = "tag"
    default: tuple[str, ...] = ()

    def parse(self, query: QueryDict) -> tuple[str, ...]:
        names = query.getlist(self.parameter)[:MAX_VALUES]
        return tuple(dict.fromkeys(tokenizer.tag_key(name) for name in names if name))

    def serialize(self, value: tuple[str, ...]) -> list[str]:
        return list(value)

    def required_terms(self, member: Membership, value: tuple[str, ...]) -> Iterable[str]:
        if not value:
            return ()
        known = dict(Tag.objects.filter(team=member.team_id, key__in=value).values_list("key", "pk"))
        return [search_terms.tag(known.get(key, 0)) for key in value]  # no tag has the id 0

    def choices(self, page: Page, value: tuple[str, ...]) -> list[Choice]:
        """The chosen tags; others are completed while a member types."""
        known = Tag.objects.filter(team=page.member.team_id, key__in=value)
        names = dict(known.values_list("key", "name"))
        return [Choice(key, names.get(key, key), is_chosen=True) for key in value]


class CollectionFilter(Filter[uuid.UUID | None]):
    """Images of one collection."""

    chip = "collection"
    default: uuid.UUID | None = None

    def parse(self, query: QueryDict) -> uuid.UUID | None:
        text = query.get(self.parameter)
        return uuid_or_404(text) if text else None

    def unreadable(self, member: Membership, values: list[str]) -> list[str]:
        """Ids that are none, and collections that are gone or not the member's to see."""
        ids = {value: pk for value in values[:MAX_VALUES] if (pk := _uuid(value))}
        visible = Collection.objects.visible_to(member).filter(pk__in=ids.values())
        known = set(visible.values_list("pk", flat=True))
        return [value for value in values if ids.get(value) not in known]

    def required_terms(self, member: Membership, value: uuid.UUID | None) -> Iterable[str]:
        if value is None:
            return ()
        if not Collection.objects.visible_to(member).filter(pk=value).exists():
            raise Http404
        return [search_terms.collection(value)]

    def choices(self, page: Page, value: uuid.UUID | None) -> list[Choice]:
        return [
            Choice(
                str(each.pk),
                each.name,
                each.pk == value,
                page.search.replace(collection=each.pk).query_string(),
            )
            for each in page.collections
        ]

    def summary(self, page: Page, value: uuid.UUID | None, choices: list[Choice]) -> str:
        if value is None:
            return ""
        chosen = Collection.objects.visible_to(page.member).filter(pk=value).first()
        return chosen.name if chosen else ""


class BatchFilter(Filter[uuid.UUID | None]):
    """Images of one batch of generations."""

    default: uuid.UUID | None = None

    def parse(self, query: QueryDict) -> uuid.UUID | None:
        text = query.get(self.parameter)
        return uuid_or_404(text) if text else None

    def required_terms(self, member: Membership, value: uuid.UUID | None) -> Iterable[str]:
        return [search_terms.batch(value)] if value else ()

    def unreadable(self, member: Membership, values: list[str]) -> list[str]:
        return [value for value in values if _uuid(value) is None]

    def document_terms(self, image: Image) -> Iterable[str]:
        return [search_terms.batch(image.batch)] if image.batch else ()


class SeedFilter(Filter[int | None]):
    """Images generated from one seed."""

    chip = "seed"
    default: int | None = None

    def parse(self, query: QueryDict) -> int | None:
        return next(iter(_whole_numbers([query.get(self.parameter, "")])), None)

    def unreadable(self, member: Membership, values: list[str]) -> list[str]:
        return [value for value in values if not _whole_numbers([value])]

    def required_terms(self, member: Membership, value: int | None) -> Iterable[str]:
        return () if value is None else [search_terms.seed(value)]

    def document_terms(self, image: Image) -> Iterable[str]:
        return () if image.seed is None else [search_terms.seed(image.seed)]

    def summary(self, page: Page, value: int | None, choices: list[Choice]) -> str:
        return "" if value is None else str(value)


class FlagFilter(Filter[bool]):
    """On or off: on if the parameter has the given text, off if it has the other or none."""

    default = False

    def __init__(
        self,
        parameter: str,
        label: _StrPromise | str,
        *,
        text: str,
        other: str,
        term: Callable[[Membership], str] | None = None,
    ) -> None:
        super().__init__(parameter, label)
        self.text = text
        self.other = other
        self.term = term

    def parse(self, query: QueryDict) -> bool:
        return query.get(self.parameter) == self.text

    def unreadable(self, member: Membership, values: list[str]) -> list[str]:
        return [value for value in values if value not in (self.text, self.other)]

    def serialize(self, value: bool) -> list[str]:
        return [self.text] if value else []

    def required_terms(self, member: Membership, value: bool) -> Iterable[str]:
        return [self.term(member)] if value and self.term else ()


class TextFilter(Filter[str]):
    """The text of the search field; the engine parses it into terms."""

    default = ""

    def parse(self, query: QueryDict) -> str:
        words = query.get(self.parameter, "").replace("\0", " ").split()
        return " ".join(words)[: search_parser.MAX_LENGTH]

    def unreadable(self, member: Membership, values: list[str]) -> list[str]:
        """Text without a letter or a digit, which would find everything."""
        return [value for value in values if search_parser.parse(value).is_empty]


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _whole_numbers(values: Iterable[str]) -> list[int]:
    """Return those that are whole numbers of a size that every database stores."""
    few = islice(values, MAX_VALUES)
    return [int(value) for value in few if value.isascii() and value.isdecimal() and len(value) < 19]
