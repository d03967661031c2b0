"""Finding images again: the same question on both databases, and a page of a million as quickly as of ten."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db.models import F, Func, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from generations.library.models import Collection, Image, SearchEntry, Tag, seen_by
from generations.library.search import parser as search_parser
from generations.library.search import terms as search_terms

if TYPE_CHECKING:
    from generations.library.search.query import Search
    from generations.teams.models import Membership

MOST_COUNTED = 10_000  # a larger number is "more than" this
MOST_NUMBERED = 1_000  # of more than these none has a number
# So many of the next images are looked through one by one before the index of tokens is asked: it gives what
# it finds in no order, and of a word that is this common it finds a great many.
LOOKED_THROUGH = 12_000

Entries = QuerySet[SearchEntry]


@dataclass(frozen=True)
class Landmark:
    """Where a page ended."""

    created_at: datetime
    image: uuid.UUID


class Unindexed(Func):
    """The value itself, in a form for which the database does not walk an index in its order."""

    arity = 1

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """The unary plus, documented for this."""
        return self.as_sql(compiler, connection, template="+%(expressions)s", **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """A sum is not what the index has."""
        return self.as_sql(compiler, connection, template="(%(expressions)s + interval '0')", **extra)


def page(
    member: Membership, search: Search, *, after: Landmark | None = None, size: int, back: bool = False
) -> list[Image]:
    """The next images of a search that the member may see, with whose they are; `back`: those before.

    Both begin with the one nearest to the landmark. Http404 for a collection that is not the member's to see.
    """
    found = Found(member, search, after=after, older=search.oldest == back).first(size)
    images = Image.objects.select_related("owner__user").in_bulk(found)
    return [images[pk] for pk in found if pk in images]


def count(member: Membership, search: Search, most: int = MOST_COUNTED) -> int:
    """How many images a search finds; one more than `most` stands for all larger numbers."""
    return Found(member, search).entries[: most + 1].count()


def place(member: Membership, search: Search, image: Landmark) -> tuple[int, int] | None:
    """Which one of how many an image is; None if the search finds too many to count, or this one not."""
    total = Found(member, search).count(MOST_NUMBERED)
    if total > MOST_NUMBERED or not Found(member, search).entries.filter(image=image.image).exists():
        return None
    before = Found(member, search, after=image, older=search.oldest).entries
    return before[:MOST_NUMBERED].count() + 1, total


def ids(member: Membership, search: Search, most: int = MOST_COUNTED) -> list[uuid.UUID]:
    """The images that a search finds, in its order, as many as may be acted on at once."""
    return Found(member, search, older=not search.oldest).first(most)


def landmark(member: Membership, image: uuid.UUID) -> Landmark:
    """An image of the team that a page ended with; it may be in the trash by now. Http404 if foreign."""
    row = get_object_or_404(Image.objects.only("created_at"), pk=image, team=member.team_id)
    return Landmark(row.created_at, row.pk)


class Found:
    """What a search finds, older or newer than a landmark."""

    def __init__(
        self, member: Membership, search: Search, *, after: Landmark | None = None, older: bool = True
    ) -> None:
        self.older = older
        self.of_the_time = SearchEntry.objects.filter(
            _of_the_days(search, ZoneInfo(member.team.time_zone)),
            _beyond(after, older=older) if after else Q(),
            team=member.team_id,
        )
        self.visible = self.of_the_time.filter(seen_by(member))
        self.asked = search_parser.read(search.q)
        self.entries = self._with_tokens(self._with_phrases(self.visible), member, search)

    def first(self, size: int) -> list[uuid.UUID]:
        """The first of them."""
        if self.entries is self.visible:  # nothing is left out: time's order is all there is to walk
            return self._ids(self.visible, size)
        near = self._near()
        nearest = self._ids(self.entries.filter(near or Q()), size)
        if near is None or len(nearest) == size:
            return nearest
        return self._ids(self.entries, size, by=Unindexed("created_at"))

    def count(self, most: int) -> int:
        """How many they are, at most one more than `most`; of a common word no index is asked for all."""
        near = self._near()
        nearest = 0 if near is None else self.entries.filter(near)[: most + 1].count()
        return nearest if nearest > most else self.entries[: most + 1].count()

    def _ids(self, entries: Entries, size: int, by: Any = None) -> list[uuid.UUID]:
        """The first of some entries, in order."""
        moment = F("created_at") if by is None else by
        order = (moment.desc(), F("image").desc()) if self.older else (moment.asc(), F("image").asc())
        return list(entries.order_by(*order).values_list("image", flat=True)[:size])

    def _near(self) -> Q | None:
        """Those among the next few thousand of the team, of whatever words; None if there are no others."""
        order = "-created_at" if self.older else "created_at"
        image = "-image" if self.older else "image"
        moments = self.of_the_time.order_by(order, image).values_list("created_at", flat=True)
        last = moments[LOOKED_THROUGH : LOOKED_THROUGH + 1].first()
        if last is None:
            return None
        return Q(created_at__gte=last) if self.older else Q(created_at__lte=last)

    def _with_phrases(self, entries: Entries) -> Entries:
        for phrase in self.asked.phrases:
            entries = entries.filter(document__contains=f" {phrase} ")
        for phrase in self.asked.unwanted_phrases:
            entries = entries.exclude(document__contains=f" {phrase} ")
        return entries

    def _with_tokens(self, entries: Entries, member: Membership, search: Search) -> Entries:
        wanted = search_terms.All(
            must=(search_terms.team(member.team_id), *self.asked.must, *_all_of(member, search)),
            any_of=tuple(filter(None, _one_of(search))),
            without=tuple(self.asked.without),
        )
        if len(wanted.must) == 1 and not (wanted.any_of or wanted.without):
            return entries  # the team's index has them already
        return entries.filter(document__matches=wanted)


def _all_of(member: Membership, search: Search) -> Iterator[str]:
    """The tokens of filters that must each be true."""
    if search.tag:
        known = dict(Tag.objects.filter(team=member.team_id, key__in=search.tag).values_list("key", "pk"))
        yield from (search_terms.tag(known.get(key, 0)) for key in search.tag)  # no tag has the number 0
    if search.collection:
        visible = Collection.objects.visible_to(member).filter(pk=search.collection)
        if not visible.exists():
            raise Http404
        yield search_terms.collection(search.collection)
    if search.batch:
        yield search_terms.batch(search.batch)
    if search.seed is not None:
        yield search_terms.seed(search.seed)
    if search.liked:
        yield search_terms.favourite(member.pk)


def _one_of(search: Search) -> Iterator[tuple[str, ...]]:
    """The tokens of filters of which one value is enough."""
    yield tuple(map(search_terms.owner, search.who))
    yield tuple(map(search_terms.model, search.model))
    yield tuple(map(search_terms.style, search.style))
    yield tuple(map(search_terms.shape, search.shape))


def _of_the_days(search: Search, zone: ZoneInfo) -> Q:
    """From the first moment of the first day to the last of the last, where the team is."""
    within = Q()
    if search.since:
        within &= Q(created_at__gte=_begin(search.since, zone))
    if search.until:
        within &= Q(created_at__lt=_begin(search.until + timedelta(days=1), zone))
    return within


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _beyond(after: Landmark, *, older: bool) -> Q:
    """Past the landmark; the first part says it roughly, so that an index is walked."""
    if older:
        past = Q(created_at__lt=after.created_at) | Q(image__lt=after.image)
        return Q(created_at__lte=after.created_at) & past
    past = Q(created_at__gt=after.created_at) | Q(image__gt=after.image)
    return Q(created_at__gte=after.created_at) & past
