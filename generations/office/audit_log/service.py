"""Write the audit log: an entry for every administrative change, in the transaction of the change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generations.jobs.engine.operator_actions import AuditEvent
from generations.office.models import AuditAction, AuditEntry
from generations.teams.actor import COMMAND, Actor, actor_of
from generations.teams.models import Membership, Team

__all__ = ["COMMAND", "Actor", "actor_of", "record", "record_queue_change"]


def record(
    actor: Actor,
    action: AuditAction,
    *,
    team: Team | None = None,
    member: Membership | None = None,
    subject: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    note: str = "",
) -> AuditEntry:
    """Write an entry. `before` and `after` hold the changed values: credits in hundredths, never a secret."""
    return AuditEntry.objects.create(
        team=team or (member.team if member else None),
        actor=actor.user,
        address=actor.address,
        act=action,
        member=member,
        subject=subject[:200],
        before=dict(before or {}),
        after=dict(after or {}),
        note=note[:400],
    )


def record_queue_change(actor: Actor, event: AuditEvent) -> AuditEntry:
    """Write an entry for a change in `jobs`, which must not import this package."""
    return record(
        actor,
        AuditAction(event.kind),
        member=event.member,
        subject=event.subject,
        before=event.before,
        after=event.after,
    )
