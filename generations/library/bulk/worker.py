"""Process bulk actions in batches under a lease; an expired lease lets another worker go on.

Applying an action twice to the same images changes nothing.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from time import monotonic

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from generations.library.bulk import actions as bulk_actions
from generations.library.models import BulkAction
from generations.teams.models import Membership
from generations.teams.permissions import may

BATCH_SIZE = 200  # images of one transaction
LEASE = timedelta(seconds=30)
TIME_SLICE = 5.0  # seconds, after which other tasks have their turn


def process(pk: uuid.UUID) -> bool:
    """Process an action for one time slice; return True if images are left."""
    until = monotonic() + TIME_SLICE
    action = _claim(pk)
    while action is not None and action.ended_at is None:
        if not _process_batch(action):
            return False
        action.refresh_from_db()
        if monotonic() > until and action.ended_at is None:
            BulkAction.objects.filter(pk=pk).update(lease_until=None)
            return True
    return False


def stalled() -> list[uuid.UUID]:
    """Return up to 100 unfinished actions without a live lease: their message or their worker was lost."""
    free = Q(lease_until=None, created_at__lt=timezone.now() - LEASE) | Q(lease_until__lt=Now())
    return list(BulkAction.objects.filter(free, ended_at=None).values_list("pk", flat=True)[:100])


def _claim(pk: uuid.UUID) -> BulkAction | None:
    """Take the lease on an action; None if it has ended or another worker holds the lease."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    claimed = BulkAction.objects.filter(free, pk=pk, ended_at=None).update(lease_until=timezone.now() + LEASE)
    return BulkAction.objects.get(pk=pk) if claimed else None


@transaction.atomic
def _process_batch(action: BulkAction) -> bool:
    """Apply the action to its next images; False, with nothing changed, if the lease was lost."""
    member = Membership.objects.select_related("user", "team").get(pk=action.member_id)
    kind = bulk_actions.KINDS[action.kind](member, action.argument)
    images = [uuid.UUID(image) for image in action.images[action.done : action.done + BATCH_SIZE]]
    allowed = member.is_current and may(member, kind.permission)  # the role may have changed since
    changed = kind.apply(images) if images and allowed else []
    done = action.done + len(images)
    held = BulkAction.objects.filter(
        pk=action.pk, done=action.done, ended_at=None, lease_until=action.lease_until
    )
    written = held.update(
        done=F("done") + len(images),
        changed=[*action.changed, *map(str, changed)],
        lease_until=timezone.now() + LEASE,
        ended_at=Now() if done >= action.total else None,
    )
    if not written:
        transaction.set_rollback(True)
    return bool(written)
