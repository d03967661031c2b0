"""Complete what is typed into the search field: people, models, collections and tags whose names begin so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q

from generations.library.models import Collection, ImageTag, Tag
from generations.library.search import tokenizer
from generations.library.search.query import Search
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Membership

MAX_OF_KIND = 5
MAX_PEOPLE = 1_000  # whose names are compared
MAX_COLLECTIONS = 5_000  # changed last
MAX_WORDS = 4  # of a name
BETWEEN = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Suggestion:
    """A filter in place of words: its kind, the name, and the query string of the search with it."""

    kind: str  # the field of `Search`
    title: str
    query_string: str


def suggest(member: Membership, search: Search) -> list[Suggestion]:
    """Return filters for the last words of the search's text; those for more words come alone.

    "a boat summ" suggests the collection Summer for a search for "a boat". Only what the member may see.
    """
    words = search.q.split()
    names = list(_names(member)) if words else []
    for count in range(min(len(words), MAX_WORDS), 0, -1):
        rest, typed = " ".join(words[:-count]), _comparable(" ".join(words[-count:]))
        found = [*_of_names(names, typed), *_tags(member, typed)] if typed else []
        if found:
            base = search.replace(q=rest)
            new = [(kind, title, _with(base, kind, value)) for kind, title, value in found]
            return [Suggestion(kind, title, with_it.query_string()) for kind, title, with_it in new]
    return []


Named = tuple[str, str, Any]  # the field of `Search`, the name, the value


def _names(member: Membership) -> Iterator[tuple[str, Named]]:
    """People, models and collections, each with its name as it is compared."""
    people = Membership.objects.filter(team=member.team_id).select_related("user")
    for person in people.order_by(F("ended_at").asc(nulls_first=True), "pk")[:MAX_PEOPLE]:
        yield _comparable(str(person)), ("who", str(person), person.pk)
    for name, title in catalogue_registry.model_titles().items():
        yield _comparable(title), ("model", str(title), name)
    collections = Collection.objects.visible_to(member).order_by("-changed_at")
    for pk, name in collections.values_list("pk", "name")[:MAX_COLLECTIONS]:
        yield _comparable(name), ("collection", name, pk)


def _of_names(names: list[tuple[str, Named]], typed: str) -> list[Named]:
    """The first few of each kind with words that begin so; those whose name begins so first."""
    matching = [(not name.startswith(typed), named) for name, named in names if _begins(name, typed)]
    found: list[Named] = []
    for kind in ("who", "model", "collection"):
        of_kind = sorted((each for each in matching if each[1][0] == kind), key=lambda each: each[0])
        found += [named for _rank, named in of_kind[:MAX_OF_KIND]]
    return found


def _begins(name: str, typed: str) -> bool:
    """Whether each typed word begins a word of the name, or stands in it if its script has no spaces."""
    return all(f" {word}" in f" {name}" or (not word.isascii() and word in name) for word in typed.split())


def _tags(member: Membership, typed: str) -> list[Named]:
    """Tags in use that begin so, and then those with a later word that does."""
    tags = Tag.objects.filter(Exists(ImageTag.objects.filter(tag=OuterRef("pk"))), team=member.team_id)
    begins = Q(key__startswith=typed)
    later = Q(key__contains=f" {typed}") if typed.isascii() else Q(key__contains=typed)
    found = list(tags.filter(begins).order_by("key")[:MAX_OF_KIND])
    if len(found) < MAX_OF_KIND:
        found += tags.filter(later).exclude(begins).order_by("key")[: MAX_OF_KIND - len(found)]
    return [("tag", tag.name, tag.key) for tag in found]


def _with(search: Search, kind: str, value: Any) -> Search:
    """The search with one more value of a filter."""
    if kind == "collection":
        return search.replace(collection=value)
    return search.replace(**{kind: tuple(dict.fromkeys([*getattr(search, kind), value]))})


def _comparable(text: str) -> str:
    """Folded words with single spaces."""
    return " ".join(BETWEEN.sub(" ", tokenizer.fold(text)).split())
