"""The audit log: every administrative act, written in the transaction of the act itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generations.credits.append_only import Guard
from generations.jobs.engine.operator_actions import AuditEvent
from generations.office.models import AuditAction, AuditEntry
from generations.teams.actor import COMMAND, By, by
from generations.teams.models import Membership, Team

__all__ = ["COMMAND", "GUARD", "By", "by", "keep", "record"]

GUARD = Guard("office_auditentry", "changes_guard", "Changes are written down, never rewritten.")


def record(
    who: By,
    act: AuditAction,
    *,
    team: Team | None = None,
    member: Membership | None = None,
    subject: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    note: str = "",
) -> AuditEntry:
    """Write one act down. `before` and `after` hold what changed, credits in hundredths, never a secret."""
    return AuditEntry.objects.create(
        team=team or (member.team if member else None),
        actor=who.user,
        address=who.address,
        act=act,
        member=member,
        subject=subject[:200],
        before=dict(before or {}),
        after=dict(after or {}),
        note=note[:400],
    )


def keep(who: By, event: AuditEvent) -> AuditEntry:
    """Write down what was done in the rooms below, which know nothing of this log."""
    return record(
        who,
        AuditAction(event.kind),
        member=event.member,
        subject=event.subject,
        before=event.before,
        after=event.after,
    )
