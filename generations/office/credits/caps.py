"""Setting what a member may spend in a day and in a month."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from generations.credits import accounts, ledger
from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import By
from generations.office.models import AuditAction
from generations.teams.models import Membership


@transaction.atomic
def set_caps(*, member: Membership, per_day: int | None, per_month: int | None, by: By) -> bool:
    """Cap the member at so many hundredths, None for no cap; False if it was so already.

    Under the wallet's lock, as spending is: whoever spends next is held to it. Raises
    MembershipEnded for who left.
    """
    accounts.open_wallet(member)
    accounts.lock(Q(membership=member))
    row = Membership.objects.filter(pk=member.pk, ended_at=None).first()
    if row is None:
        raise ledger.MembershipEnded
    before = {"cap_per_day": row.cap_per_day, "cap_per_month": row.cap_per_month}
    after = {"cap_per_day": per_day, "cap_per_month": per_month}
    if before == after:
        return False
    Membership.objects.filter(pk=row.pk).update(**after)
    audit_log_service.record(by, AuditAction.CAPS_SET, member=row, before=before, after=after)
    return True
