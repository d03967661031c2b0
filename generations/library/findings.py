"""What a check of the library looks for, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from generations.teams.models import Team

Thing = TypeVar("Thing")

AT_ONCE = 500


class Kind(models.TextChoices):
    """What may be wrong."""

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
    """One thing that is wrong; `about` is an object's key or an image's id."""

    kind: Kind
    about: str
    words: str = ""
    is_mended: bool = False

    @property
    def remains(self) -> bool:
        """True if somebody has to see to it. (A thumbnail is made when it is first asked for.)"""
        return not self.is_mended and self.kind != Kind.UNMADE


def nothing(_keys: Collection[str]) -> set[str]:
    """Where nobody makes pictures, nobody still needs an object without a row."""
    return set()


@dataclass(frozen=True)
class Check:
    """What to look at, and what to mend. `still_needed` tells which objects without a row may get one."""

    team: Team | None = None
    is_quick: bool = False
    repairs: bool = False
    removes_orphans: bool = False
    still_needed: Callable[[Collection[str]], set[str]] = nothing

    def rows(self, kind: type[models.Model]) -> models.QuerySet[Any]:
        """The rows of images or of uploads that are looked at."""
        rows = kind._default_manager.all()
        return rows.filter(team=self.team) if self.team else rows


def in_batches(rows: models.QuerySet[Any]) -> Iterator[list[Any]]:
    """All rows by primary key, some hundred at a time, none of them held between two batches."""
    last = None
    while batch := list((rows if last is None else rows.filter(pk__gt=last)).order_by("pk")[:AT_ONCE]):
        yield batch
        last = batch[-1].pk


def batched(things: Iterable[Thing]) -> Iterator[list[Thing]]:
    """Whatever it is, some at a time."""
    left = iter(things)
    while batch := list(islice(left, AT_ONCE)):
        yield batch
