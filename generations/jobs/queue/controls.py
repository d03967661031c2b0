"""The few switches of the queue page. Each says who moved it, and from where, in its own transaction."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.db import transaction
from django.db.models import QuerySet

from generations.jobs.engine import operator_actions
from generations.jobs.models import Generation
from generations.jobs.queue import audit_hook
from generations.jobs.queue.audit_hook import Deed, Kind
from generations.teams.actor import By
from generations.teams.models import Membership
from generations.upstreams import accounts
from generations.upstreams.models import Upstream

Accounts = QuerySet[Upstream]


def pause(upstreams: Accounts, *, by: By) -> None:
    """Call none of these until an operator resumes them."""
    who = str(by.user or "")
    _switch(upstreams, "paused", by, lambda rows: accounts.pause_by_operator(rows, by=who))


def drain(upstreams: Accounts, *, by: By) -> None:
    """Let these finish what runs, and start nothing there."""

    def drain_each(rows: Accounts) -> None:
        for row in rows:
            accounts.drain(row)

    _switch(upstreams, "drained", by, drain_each)


def reopen(upstreams: Accounts, *, by: By) -> None:
    """Call these again."""
    _switch(upstreams, "resumed", by, accounts.reopen)


def resume(upstreams: Accounts, *, by: By) -> None:
    """End the pauses of these; what is drained stays so."""

    def resume_each(rows: Accounts) -> None:
        for row in rows:
            accounts.resume(row)

    _switch(upstreams, "resumed", by, resume_each)


@transaction.atomic
def serve(member: Membership, *, first: bool, by: By) -> int:
    """Serve what the member has waiting before all others, or in turn again; how many images."""
    count = operator_actions.serve(member, first=first)
    did = "served_first" if first else "served_in_turn"
    audit_hook.tell(by, Deed(Kind.QUEUE, member=member, after={"did": did, "count": count}))
    return count


@transaction.atomic
def set_weight(member: Membership, weight: int, *, by: By) -> None:
    """Give the member so many slots for one of the others'; operation.WeightRefused if odd."""
    before = Membership.objects.values_list("weight", flat=True).get(pk=member.pk)
    operator_actions.set_weight(member, weight)
    if weight != before:
        audit_hook.tell(
            by, Deed(Kind.WEIGHT, member=member, before={"weight": before}, after={"weight": weight})
        )


@transaction.atomic
def give_up(
    generation: uuid.UUID, *, by: By, verb: Callable[[uuid.UUID], bool] = operator_actions.give_up
) -> bool:
    """End a row whose image is lost, not charged; False if somebody has it.

    `verb` decides: `operation.give_up` of those alone that are surely lost, `storing.give_up` of any.
    """
    row = Generation.objects.select_related("member__team").filter(pk=generation).first()
    if row is None or not verb(generation):
        return False
    audit_hook.tell(by, Deed(Kind.QUEUE, row.member, after={"did": "gave_up", "generation": str(generation)}))
    return True


@transaction.atomic
def _switch(upstreams: Accounts, did: str, by: By, move: Callable[[Accounts], object]) -> None:
    """Move them, and tell of each that is not as it was."""
    rows = list(upstreams.select_for_update(no_key=True).order_by("pk"))
    before = {row.pk: state(row) for row in rows}
    move(Upstream.objects.filter(pk__in=before))
    for row in Upstream.objects.filter(pk__in=before).order_by("pk"):
        if (after := state(row)) != before[row.pk]:
            audit_hook.tell(
                by,
                Deed(
                    Kind.UPSTREAM,
                    subject=row.name,
                    before={"state": before[row.pk]},
                    after={"did": did, "state": after},
                ),
            )


def state(upstream: Upstream) -> str:
    """Whether it is called, in a word."""
    if upstream.paused_at:
        by_hand = upstream.paused_status == accounts.PAUSED_BY_OPERATOR
        return "paused_by_hand" if by_hand else "paused"
    return "draining" if upstream.draining else "open"
