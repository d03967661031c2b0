"""Run searches: the same results on both databases, and a page of a million images as fast as of ten."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, Func, Q, QuerySet
from django.shortcuts import get_object_or_404

from generations.core.prepared_queries import Param, PreparedQuery
from generations.library.models import Image, SearchEntry, visible_as, visible_to
from generations.library.search import parser as search_parser
from generations.library.search import terms as search_terms
from generations.library.search.query import Search
from generations.teams.models import Membership

MAX_COUNTED = 10_000  # larger numbers are "more than" this
MAX_POSITIONS = 1_000  # in a larger result, images have no position
# So many of the next images are tried one by one first: the full-text index returns its matches in no order,
# and of a frequent word it has a great many.
TRIED_FIRST = 3_000
# If some of those match, but too few, as many are tried as have enough; not more than this. The rest is rare
# enough for the index.
TRIED_NEXT = 20_000
# Beginnings are more frequent than words, and the index is slower for them: so many times more are tried.
WIDER = 5
# SQLite takes it that sorting all rows for the first or the first two is quicker than to walk the index.
FEWEST = 10

Entries = QuerySet[SearchEntry]


@dataclass(frozen=True)
class Cursor:
    """The image at which a page ended."""

    created_at: datetime
    image: uuid.UUID


class Unindexed(Func):
    """The same value, written so that the database does not read an index to sort by it."""

    arity = 1

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """Use the unary plus: sqlite.org/optoverview.html, "Disqualifying WHERE Clause Terms"."""
        return self.as_sql(compiler, connection, template="+%(expressions)s", **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """Add nothing: the sum is not what the index contains."""
        return self.as_sql(compiler, connection, template="(%(expressions)s + interval '0')", **extra)


def page(
    member: Membership,
    search: Search,
    *,
    after: Cursor | None = None,
    size: int,
    backwards: bool = False,
    related: tuple[str, ...] = (),
) -> list[Image]:
    """Return the next images of a search, with what is `related`; `backwards`: the previous ones.

    The one nearest to the cursor comes first. Http404 for a collection that the member may not see.
    """
    found = Results(member, search, after=after, older=search.oldest == backwards).ids(size)
    rows = Image.objects.select_related(*related) if related else Image.objects.all()
    images = rows.in_bulk(found)
    return [images[pk] for pk in found if pk in images]


def count(member: Membership, search: Search, most: int = MAX_COUNTED) -> int:
    """Return how many images a search finds; `most` + 1 stands for all larger numbers."""
    return Results(member, search).entries[: most + 1].count()


def position(member: Membership, search: Search, image: Cursor) -> tuple[int, int] | None:
    """Return an image's position, from 1, and the number of results.

    None if there are more than a thousand, or the search does not find the image.
    """
    total = Results(member, search).count(MAX_POSITIONS)
    if total > MAX_POSITIONS or not Results(member, search).entries.filter(image=image.image).exists():
        return None
    before = Results(member, search, after=image, older=search.oldest).entries
    return before[:MAX_POSITIONS].count() + 1, total


def ids(member: Membership, search: Search, most: int = MAX_COUNTED) -> list[uuid.UUID]:
    """Return the images that a search finds, in its order, at most as many as a bulk action takes."""
    return Results(member, search, older=not search.oldest).ids(most)


def cursor_at(member: Membership, image: uuid.UUID) -> Cursor:
    """Return the cursor at an image of the team, even in the trash. Http404 if the team has no such image."""
    row = get_object_or_404(Image.objects.only("created_at"), pk=image, team=member.team_id)
    return Cursor(row.created_at, row.pk)


class Results:
    """The results of a search, older or newer than a cursor."""

    def __init__(
        self, member: Membership, search: Search, *, after: Cursor | None = None, older: bool = True
    ) -> None:
        self.member, self.after, self.older = member, after, older
        self.is_everything = search.is_everything
        self.in_period = SearchEntry.objects.filter(
            _period(search, member.tzinfo),
            _beyond(after, older=older) if after else Q(),
            team=member.team_id,
        )
        self.visible = self.in_period.filter(visible_to(member))
        self.parsed = search_parser.parse(search.q)
        query = self._term_query(member, search)
        self.has_beginnings = bool(query and query.beginnings)
        with_phrases = self._with_phrases(self.visible)
        self.entries = with_phrases.filter(document__matches=query) if query else with_phrases
        # What is frequent is found faster by trying the next images than by the index.
        self.nearby = with_phrases.filter(document__satisfies=query) if query else with_phrases

    def ids(self, size: int) -> list[uuid.UUID]:
        """Return the first images, in order."""
        if self.is_everything:
            return self._next(size)
        if self.entries is self.visible:  # no condition but a period
            return self._ids(self.visible, size)
        nearest = self._tried(size, TRIED_FIRST)
        if nearest is None:
            return self._ids(self.entries, size)
        if 0 < len(nearest) < size:
            # Half as many more than would do if they were evenly spread.
            enough = TRIED_FIRST * size * 3 // (2 * len(nearest))
            if enough <= TRIED_NEXT * (WIDER if self.has_beginnings else 1):
                nearest = self._tried(size, enough) or []
        if len(nearest) == size:
            return nearest
        return self._ids(self.entries, size, by=Unindexed("created_at"))

    def count(self, most: int) -> int:
        """Return the number of results, at most `most` + 1; of a frequent word not all are read."""
        near = self._near(TRIED_NEXT)
        nearest = 0 if near is None else self.nearby.filter(near)[: most + 1].count()
        return nearest if nearest > most else self.entries[: most + 1].count()

    def _tried(self, size: int, most: int) -> list[uuid.UUID] | None:
        """The first images among the next `most`, which are tried one by one; None if there are no others."""
        near = self._near(most)
        return None if near is None else self._ids(self.nearby.filter(near), size)

    def _ids(self, entries: Entries, size: int, by: Any = None) -> list[uuid.UUID]:
        moment = F("created_at") if by is None else by
        order = (moment.desc(), F("image").desc()) if self.older else (moment.asc(), F("image").asc())
        return list(entries.order_by(*order).values_list("image", flat=True)[:size])

    def _next(self, size: int) -> list[uuid.UUID]:
        """The first images of a search for everything: `_ids(self.visible, size)`, prepared."""
        values: dict[str, Any] = {"member": self.member.pk, "team": self.member.team_id}
        if self.after:
            values |= {"moment": self.after.created_at, "image": self.after.image}
        is_after = self.after is not None
        query = _everything(self.member.role, max(size, FEWEST), older=self.older, is_after=is_after)
        return [image for (image,) in query.rows(**values)[:size]]

    def _near(self, limit: int) -> Q | None:
        """The condition for about as many of the team's next images; None if there are no others."""
        order = "-created_at" if self.older else "created_at"
        image = "-image" if self.older else "image"
        moments = self.in_period.order_by(order, image).values_list("created_at", flat=True)
        last = moments[limit : limit + 1].first()
        if last is None:
            return None
        return Q(created_at__gte=last) if self.older else Q(created_at__lte=last)

    def _with_phrases(self, entries: Entries) -> Entries:
        for phrase in self.parsed.phrases:
            entries = entries.filter(document__contains=f" {phrase} ")
        for phrase in self.parsed.excluded_phrases:
            entries = entries.exclude(document__contains=f" {phrase} ")
        return entries

    def _term_query(self, member: Membership, search: Search) -> search_terms.TermQuery | None:
        """The query over terms; None if the team's own index finds everything already."""
        filters = list(search.filters())
        required = [term for each, value in filters for term in each.required_terms(member, value)]
        query = search_terms.TermQuery(
            required=(search_terms.team(member.team_id), *self.parsed.required, *required),
            beginnings=tuple(self.parsed.beginnings),
            any_of=tuple(terms for each, value in filters if (terms := each.alternative_terms(value))),
            excluded=tuple(self.parsed.excluded),
        )
        if len(query.required) == 1 and not (query.beginnings or query.any_of or query.excluded):
            return None
        return query


@lru_cache(maxsize=64)
def _everything(role: str, size: int, *, older: bool, is_after: bool) -> PreparedQuery[SearchEntry]:
    """The ids of the first images that a member with this role sees, of those beyond a cursor."""

    def build() -> QuerySet[SearchEntry, Any]:
        member, team = Param("member"), Param("team")
        after: Any = Cursor(Param("moment"), Param("image")) if is_after else None  # type: ignore[arg-type]
        beyond = _beyond(after, older=older) if after else Q()
        entries = SearchEntry.objects.filter(beyond, visible_as(role, member, team), team=team)
        order = ("-created_at", "-image") if older else ("created_at", "image")
        return entries.order_by(*order).values_list("image")[:size]

    return PreparedQuery(build)


def _period(search: Search, zone: ZoneInfo) -> Q:
    """From the first moment of the first day to the last of the last day, in the member's time zone."""
    within = Q()
    if search.since:
        within &= Q(created_at__gte=_midnight(search.since, zone))
    if search.until:
        within &= Q(created_at__lt=_midnight(search.until + timedelta(days=1), zone))
    return within


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _beyond(after: Cursor, *, older: bool) -> Q:
    """Beyond the cursor; the first, rougher part lets the database walk an index."""
    if older:
        past = Q(created_at__lt=after.created_at) | Q(image__lt=after.image)
        return Q(created_at__lte=after.created_at) & past
    past = Q(created_at__gt=after.created_at) | Q(image__gt=after.image)
    return Q(created_at__gte=after.created_at) & past
