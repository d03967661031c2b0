"""The contents of the operators' queue page, in a fixed number of queries. Prompts are never read."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min
from django.utils import timezone

from generations.jobs.engine import operator_actions, queue_position
from generations.jobs.models import Attempt, Generation, HelpStatus, PromptHelp, Status
from generations.jobs.queue import account_cards, calls_per_minute
from generations.teams.models import Membership
from generations.upstreams.models import Upstream

MAX_CALLS = 10
MAX_MEMBERS = 30
MAX_UNSTORED = 20
MAX_HELPS = 20
UNSTORED_AFTER = timedelta(seconds=15)  # since the image was received

Running = Counter[tuple[int, int | None]]  # calls in flight by member and upstream


@dataclass(frozen=True)
class Waiting:
    """The waiting generations of one member."""

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
    next_position: queue_position.QueuePosition | None


@dataclass(frozen=True)
class Unstored:
    """A generation whose image was received and is not in object storage yet."""

    generation: Generation
    is_lost: bool


@dataclass(frozen=True)
class Queue:
    """The contents of the page."""

    now: datetime
    cards: list[account_cards.AccountCard]
    waiting: int
    drawing: int
    oldest: float | None  # seconds
    waiters: list[Waiter]
    more_waiters: int
    calls: calls_per_minute.CallsPerMinute
    latest: list[Attempt]
    unstored: list[Unstored]
    helps: list[PromptHelp]
    more_helps: int

    @property
    def all_paused(self) -> bool:
        """Whether every account is paused."""
        return bool(self.cards) and all(card.state == "paused" for card in self.cards)

    @property
    def some_stopped(self) -> bool:
        """Whether some account is paused or draining, so that there is something to resume."""
        return any(card.state in {"paused", "draining"} for card in self.cards)

    @property
    def most_waiting(self) -> int:
        """The largest number of waiting generations of a member; at least 1."""
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
    helps = _helps()
    in_flight.update(row.upstream_id for row in helps if row.status == HelpStatus.RUNNING)
    waiters, more = _waiters(waiting, running)
    return Queue(
        now=now,
        cards=account_cards.cards(upstreams, in_flight, minutes, newest, now),
        waiting=sum(row.number for row in waiting),
        drawing=running.total(),
        oldest=max(((now - row.oldest).total_seconds() for row in waiting), default=None),
        waiters=waiters,
        more_waiters=more,
        calls=calls_per_minute.summary(minutes),
        latest=_latest(newest),
        unstored=_unstored(now),
        helps=helps[:MAX_HELPS],
        more_helps=len(helps[MAX_HELPS:]),
    )


def _waiting() -> list[Waiting]:
    queued = Generation.objects.filter(status=Status.QUEUED).order_by().values("member")
    counted = queued.annotate(number=Count("pk"), oldest=Min("created_at"), priority=Max("priority"))
    return [Waiting(*row) for row in counted.values_list("member", "number", "oldest", "priority")]


def _running() -> Running:
    running = Generation.objects.in_flight().order_by().values("member", "upstream")
    counted = running.annotate(number=Count("pk")).values_list("member", "upstream", "number")
    return Counter({(member, upstream): number for member, upstream, number in counted})


def _waiters(waiting: Collection[Waiting], running: Running) -> tuple[list[Waiter], int]:
    """The members with the most waiting generations, and the number of other members."""
    number = {row.member: row.number for row in waiting}
    first = {row.member for row in waiting if row.priority > operator_actions.IN_TURN}
    drawn: Counter[int] = Counter()
    for (member, _upstream), calls in running.items():
        drawn[member] += calls
    order = sorted({*number, *drawn}, key=lambda pk: (-number.get(pk, 0), -drawn[pk], pk))
    members = Membership.objects.select_related("user", "team").in_bulk(order[:MAX_MEMBERS])
    places = queue_position.first_positions() if number else {}
    found = [
        Waiter(members[pk], number.get(pk, 0), drawn[pk], pk in first, places.get(pk))
        for pk in order[:MAX_MEMBERS]
    ]
    return found, len(order) - len(found)


def _latest(newest: Collection[account_cards.Call]) -> list[Attempt]:
    """The calls that ended last, newest first."""
    ended = sorted(((call.ended_at, call.pk) for call in newest if call.ended_at), reverse=True)[:MAX_CALLS]
    rows = Attempt.objects.select_related("upstream", "generation__member__user")
    found = rows.defer("generation__parameters").in_bulk([pk for _ended_at, pk in ended])
    return [found[pk] for _ended_at, pk in ended]


def _unstored(now: datetime) -> list[Unstored]:
    """Images received a while ago and not stored yet, oldest first."""
    late = Generation.objects.filter(status=Status.STORING, changed_at__lt=now - UNSTORED_AFTER).defer(
        "parameters"
    )
    rows = list(late.select_related("member__user", "member__team").order_by("changed_at")[:MAX_UNSTORED])
    lost: set[uuid.UUID] = set(Generation.objects.lost().values_list("pk", flat=True)) if rows else set()
    return [Unstored(row, row.pk in lost) for row in rows]


def _helps() -> list[PromptHelp]:
    """The calls of the prompt helper that wait or run, oldest first; each ends within some minutes."""
    rows = PromptHelp.objects.unfinished().defer("text", "answers")
    return list(rows.select_related("upstream", "member__user", "member__team").order_by("created_at", "pk"))
