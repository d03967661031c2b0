"""All that the operators' queue page shows, in a fixed number of queries. No prompt is ever read."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min
from django.utils import timezone

from generations.jobs.engine import operator_actions, queue_position
from generations.jobs.models import Attempt, Generation, Status
from generations.jobs.queue import account_cards, calls_per_minute
from generations.teams.models import Membership
from generations.upstreams.models import Upstream

LATEST = 10  # calls shown
MOST_MEMBERS = 30  # shown, those who have most waiting first
MOST_KEPT = 20  # images shown that wait to be stored
SLOW = timedelta(seconds=15)  # in which an image that came is usually stored

Running = Counter[tuple[int, int | None]]  # calls in flight by member and upstream


@dataclass(frozen=True)
class Waiting:
    """What one member has waiting."""

    member: int
    number: int
    oldest: datetime
    priority: int


@dataclass(frozen=True)
class Waiter:
    """One member in the queue."""

    member: Membership
    waiting: int
    drawing: int
    is_first: bool
    place: queue_position.Place | None


@dataclass(frozen=True)
class Kept:
    """A picture that was received and waits to be stored."""

    generation: Generation
    is_lost: bool


@dataclass(frozen=True)
class Queue:
    """The whole page at one moment."""

    now: datetime
    cards: list[account_cards.Card]
    waiting: int
    drawing: int
    oldest: float | None  # seconds
    waiters: list[Waiter]
    more_waiters: int
    hour: calls_per_minute.Hour
    latest: list[Attempt]
    kept: list[Kept]

    @property
    def all_paused(self) -> bool:
        """Whether no account is called until an operator resumes it."""
        return bool(self.cards) and all(card.state == "paused" for card in self.cards)

    @property
    def most_waiting(self) -> int:
        """What the longest bar stands for."""
        return max((waiter.waiting for waiter in self.waiters), default=0) or 1


def read() -> Queue:
    """The queue as it is now."""
    now = timezone.now()
    upstreams = list(Upstream.objects.all())
    waiting, running, newest = _waiting(), _running(), account_cards.newest_calls()
    minutes = calls_per_minute.minutes([upstream.pk for upstream in upstreams], now)
    in_flight: Counter[int | None] = Counter()
    for (_member, upstream), number in running.items():
        in_flight[upstream] += number
    waiters, more = _waiters(waiting, running)
    return Queue(
        now=now,
        cards=account_cards.read(upstreams, in_flight, minutes, newest, now),
        waiting=sum(row.number for row in waiting),
        drawing=running.total(),
        oldest=max(((now - row.oldest).total_seconds() for row in waiting), default=None),
        waiters=waiters,
        more_waiters=more,
        hour=calls_per_minute.told(minutes),
        latest=_latest(newest),
        kept=_kept(now),
    )


def _waiting() -> list[Waiting]:
    queued = Generation.objects.filter(status=Status.QUEUED).order_by().values("member")
    counted = queued.annotate(number=Count("pk"), oldest=Min("created_at"), priority=Max("priority"))
    return [Waiting(*row) for row in counted.values_list("member", "number", "oldest", "priority")]


def _running() -> Running:
    running = Generation.objects.filter(status=Status.RUNNING).order_by().values("member", "upstream")
    counted = running.annotate(number=Count("pk")).values_list("member", "upstream", "number")
    return Counter({(member, upstream): number for member, upstream, number in counted})


def _waiters(waiting: Collection[Waiting], running: Running) -> tuple[list[Waiter], int]:
    """Those who have most waiting, and how many others there are."""
    number = {row.member: row.number for row in waiting}
    first = {row.member for row in waiting if row.priority > operator_actions.IN_TURN}
    drawn: Counter[int] = Counter()
    for (member, _upstream), calls in running.items():
        drawn[member] += calls
    order = sorted({*number, *drawn}, key=lambda pk: (-number.get(pk, 0), -drawn[pk], pk))
    members = Membership.objects.select_related("user", "team").in_bulk(order[:MOST_MEMBERS])
    places = queue_position.next_of_each() if number else {}
    found = [
        Waiter(members[pk], number.get(pk, 0), drawn[pk], pk in first, places.get(pk))
        for pk in order[:MOST_MEMBERS]
    ]
    return found, len(order) - len(found)


def _latest(newest: Collection[account_cards.Call]) -> list[Attempt]:
    """The calls that ended last."""
    ended = sorted(((call.ended_at, call.pk) for call in newest if call.ended_at), reverse=True)[:LATEST]
    rows = Attempt.objects.select_related("upstream", "generation__member__user")
    found = rows.defer("generation__parameters").in_bulk([pk for _ended_at, pk in ended])
    return [found[pk] for _ended_at, pk in ended]


def _kept(now: datetime) -> list[Kept]:
    """Pictures that came a while ago and are not stored, the oldest first."""
    late = Generation.objects.filter(status=Status.STORING, changed_at__lt=now - SLOW).defer("parameters")
    rows = list(late.select_related("member__user", "member__team").order_by("changed_at")[:MOST_KEPT])
    lost: set[uuid.UUID] = set(operator_actions.lost().values_list("pk", flat=True)) if rows else set()
    return [Kept(row, row.pk in lost) for row in rows]
