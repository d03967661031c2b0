"""The audit log: every administrative act, written in the transaction of the act itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generations.credits.append_only import AppendOnlyTriggers
from generations.jobs.queue.audit_hook import Deed
from generations.office.models import Act, AuditEntry
from generations.teams.actor import COMMAND, By, by
from generations.teams.models import Membership, Team

__all__ = ["COMMAND", "GUARD", "By", "by", "keep", "record"]

GUARD = AppendOnlyTriggers("office_auditentry", "changes_guard", "Changes are written down, never rewritten.")


def record(
    who: By,
    act: Act,
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


def keep(who: By, deed: Deed) -> AuditEntry:
    """Write down what was done in the rooms below, which know nothing of this log."""
    return record(
        who,
        Act(deed.kind),
        member=deed.member,
        subject=deed.subject,
        before=deed.before,
        after=deed.after,
    )
