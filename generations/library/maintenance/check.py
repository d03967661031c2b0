"""What a check of the library covers and reports; `object_check` and `derived_check` find the problems."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from generations.teams.models import Team

T = TypeVar("T")

BATCH_SIZE = 500


class Kind(models.TextChoices):
    """The kinds of problems."""

    MISSING = "missing", _("missing")
    ORPHANED = "orphaned", _("orphaned")
    SIZE = "size", _("wrong size")
    HASH = "sha256", _("wrong sha256")
    UNREADABLE = "unreadable", _("unreadable")
    THUMBNAIL = "thumbnail", _("broken thumbnail")
    ENTRY = "entry", _("wrong search entry")
    UNMADE = "unmade", _("thumbnail not made yet")


@dataclass(frozen=True)
class Problem:
    """One problem. `subject` is the key of an object or the id of an image."""

    kind: Kind
    subject: str
    detail: str = ""
    is_repaired: bool = False

    @property
    def remains(self) -> bool:
        """True if it needs attention; a thumbnail that was not made yet does not: a request makes it."""
        return not self.is_repaired and self.kind != Kind.UNMADE


def needs_none(_keys: Collection[str]) -> set[str]:
    """The default of `Check.still_needed`: no object without a row is needed."""
    return set()


@dataclass(frozen=True)
class Check:
    """The scope of a check and what it repairs.

    `still_needed` returns those of the keys that have no row yet but may get one. Without `may_list` each
    object is asked for by itself, and none without a row is found.
    """

    team: Team | None = None
    is_quick: bool = False
    repairs: bool = False
    removes_orphans: bool = False
    may_list: bool = True
    still_needed: Callable[[Collection[str]], set[str]] = needs_none

    def rows(self, model: type[models.Model]) -> models.QuerySet[Any]:
        """The rows of a model (Image or Upload) that are checked."""
        rows = model._default_manager.all()
        return rows.filter(team=self.team) if self.team else rows


def in_batches(rows: models.QuerySet[Any]) -> Iterator[list[Any]]:
    """All rows by primary key in batches; no query is open between two batches."""
    last = None
    while batch := list((rows if last is None else rows.filter(pk__gt=last)).order_by("pk")[:BATCH_SIZE]):
        yield batch
        last = batch[-1].pk


def batched(items: Iterable[T]) -> Iterator[list[T]]:
    """The items in batches."""
    remaining = iter(items)
    while batch := list(islice(remaining, BATCH_SIZE)):
        yield batch
