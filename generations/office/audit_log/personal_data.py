"""Remove personal data from audit entries: network addresses after a while, a person's on request.

Who did what, when and to whom stays; the database refuses any other change
(`migrations/0005_personal_data_in_changes.py`).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from generations.office.models import AuditAction, AuditEntry
from generations.teams.models import User


def forget_addresses() -> int:
    """Remove the network addresses of entries that are older than AUDIT_ADDRESS_DAYS; return how many."""
    before = timezone.now() - timedelta(days=settings.AUDIT_ADDRESS_DAYS)
    return AuditEntry.objects.filter(at__lt=before, address__isnull=False).update(address=None)


@transaction.atomic
def erase_person(user: User, emails: Collection[str]) -> None:
    """Remove the person's network addresses, and from entries about them their email addresses and names."""
    AuditEntry.objects.filter(actor=user, address__isnull=False).update(address=None)
    tokens = (AuditAction.TOKEN_MADE, AuditAction.TOKEN_REVOKED)  # whose names people choose
    AuditEntry.objects.filter(act__in=tokens, member__user=user).exclude(subject="").update(subject="")
    for entry in _about(set(emails)):
        entry.subject = ""
        for values in (entry.before, entry.after):
            values.pop("email", None)
            values.pop("name", None)
        entry.save(update_fields=["subject", "before", "after"])


def _about(emails: set[str]) -> list[AuditEntry]:
    """Return the entries with one of the addresses, or with one that the person had before."""
    entries = AuditEntry.objects.filter(act__in=(AuditAction.PERSON_CHANGED, AuditAction.INVITED))
    entries |= AuditEntry.objects.filter(act=AuditAction.INVITATION_REVOKED)
    while True:
        named = Q(subject__in=emails) | Q(before__email__in=emails) | Q(after__email__in=emails)
        found = list(entries.filter(named))
        earlier = {
            values["email"] for each in found for values in (each.before, each.after) if "email" in values
        }
        if earlier <= emails:
            return found
        emails |= earlier
