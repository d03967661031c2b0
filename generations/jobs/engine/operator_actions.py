"""What operators do to the queue: pause accounts, serve a member first, change a weight, give up an image.

Each action reports an audit event to the listeners that `add_audit_listener` registered, inside its own
transaction. The audit log is one of them; it is in a higher room, which this one cannot import.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import F, Min, QuerySet
from django.utils.translation import gettext as _

from generations.jobs.engine import persist
from generations.jobs.models import VIRTUAL_COST, Generation, Status
from generations.teams.actor import Actor
from generations.teams.models import Membership
from generations.upstreams import accounts
from generations.upstreams.models import Upstream

IN_TURN, FIRST = 0, 1  # values of Generation.priority
MAX_WEIGHT = 10


class InvalidWeight(ValueError):
    """The weight is not a whole number from 1 to MAX_WEIGHT."""

    def __init__(self) -> None:
        super().__init__(_("A weight is a whole number from 1 to %(most)s.") % {"most": MAX_WEIGHT})


class AuditKind(StrEnum):
    """What an action changed, as the audit log stores it."""

    WEIGHT = "weight_changed"
    UPSTREAM = "upstream_changed"
    QUEUE = "queue_changed"


@dataclass(frozen=True)
class AuditEvent:
    """One change: of which member or subject, and the values before and after."""

    kind: AuditKind
    member: Membership | None = None
    subject: str = ""
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


AuditListener = Callable[[Actor, AuditEvent], object]
_audit_listeners: list[AuditListener] = []


def add_audit_listener(listener: AuditListener) -> None:
    """Call `listener` for every action from now on. If it raises, the action is rolled back."""
    if listener not in _audit_listeners:
        _audit_listeners.append(listener)


def pause(upstreams: QuerySet[Upstream], *, by: Actor) -> None:
    """Do not call these accounts until an operator resumes them; running calls are finished."""
    who = str(by.user or "")
    _change(upstreams, "paused", by, lambda rows: accounts.pause_by_operator(rows, by=who))


def drain(upstreams: QuerySet[Upstream], *, by: Actor) -> None:
    """Let these accounts finish their running calls and start no new ones."""
    _change(upstreams, "drained", by, _each(accounts.drain))


def reopen(upstreams: QuerySet[Upstream], *, by: Actor) -> None:
    """End pauses and draining of these accounts."""
    _change(upstreams, "resumed", by, accounts.reopen)


def state(upstream: Upstream) -> str:
    """The state of an account in audit events: open, draining, paused or paused_by_hand."""
    if upstream.paused_at:
        by_hand = upstream.paused_status == accounts.PAUSED_BY_OPERATOR
        return "paused_by_hand" if by_hand else "paused"
    return "draining" if upstream.draining else "open"


@transaction.atomic
def serve(member: Membership, *, first: bool, by: Actor) -> int:
    """Serve the member's waiting generations before all others, or in turn again; how many."""
    waiting = Generation.objects.filter(member=member, status=Status.QUEUED)
    waiting.lock_in_order()
    count = waiting.update(priority=FIRST if first else IN_TURN)
    action = "served_first" if first else "served_in_turn"
    _audit(by, AuditEvent(AuditKind.QUEUE, member=member, after={"did": action, "count": count}))
    return count


@transaction.atomic
def set_weight(member: Membership, weight: int, *, by: Actor) -> None:
    """Change the weight of a member as `apply_weight` does, with an audit event if it differs."""
    before = Membership.objects.values_list("weight", flat=True).get(pk=member.pk)
    apply_weight(member, weight)
    if weight != before:
        event = AuditEvent(
            AuditKind.WEIGHT, member=member, before={"weight": before}, after={"weight": weight}
        )
        _audit(by, event)


@transaction.atomic
def apply_weight(member: Membership, weight: int) -> None:
    """Change a member's share of slots, for waiting generations as well; InvalidWeight if out of range.

    The first waiting generation keeps its virtual start; the distances of those behind it are scaled. Without
    an audit event, for callers that record their own.
    """
    if not 1 <= weight <= MAX_WEIGHT:
        raise InvalidWeight
    waiting = Generation.objects.filter(member=member, status=Status.QUEUED)
    waiting.lock_in_order()
    first = waiting.aggregate(first=Min("virtual_start"))["first"]
    old_cost = VIRTUAL_COST // Membership.objects.get(pk=member.pk).weight
    if first is not None:
        scaled = (F("virtual_start") - first) * (VIRTUAL_COST // weight) / old_cost
        waiting.update(virtual_start=first + scaled)
    Membership.objects.filter(pk=member.pk).update(weight=weight)


@transaction.atomic
def give_up(generation: uuid.UUID, *, by: Actor, only_lost: bool = True) -> bool:
    """Fail a STORING generation and release its hold; False if nothing was changed.

    With `only_lost`, only if no worker has renewed its lease for a minute.
    """
    rows = Generation.objects.lost() if only_lost else Generation.objects.all()
    row = rows.select_related("member__team").filter(pk=generation).first()
    if row is None or not persist.give_up(generation):
        return False
    after = {"did": "gave_up", "generation": str(generation)}
    _audit(by, AuditEvent(AuditKind.QUEUE, row.member, after=after))
    return True


@transaction.atomic
def _change(
    upstreams: QuerySet[Upstream], action: str, by: Actor, change: Callable[[QuerySet[Upstream]], object]
) -> None:
    """Lock and change these accounts, with an audit event for each whose state differs afterwards."""
    rows = list(upstreams.select_for_update(no_key=True).order_by("pk"))
    states = {row.pk: state(row) for row in rows}
    change(Upstream.objects.filter(pk__in=states))
    for row in Upstream.objects.filter(pk__in=states).order_by("pk"):
        if state(row) != states[row.pk]:
            event = AuditEvent(
                AuditKind.UPSTREAM,
                subject=row.name,
                before={"state": states[row.pk]},
                after={"did": action, "state": state(row)},
            )
            _audit(by, event)


def _each(change: Callable[[Upstream], object]) -> Callable[[QuerySet[Upstream]], None]:
    def change_each(rows: QuerySet[Upstream]) -> None:
        for row in rows:
            change(row)

    return change_each


def _audit(by: Actor, event: AuditEvent) -> None:
    for listener in _audit_listeners:
        listener(by, event)
