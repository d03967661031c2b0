"""Start and undo bulk actions. Up to 200 images are changed at once; larger actions wait for a worker.

The row holds all of the state; the Celery message only makes a worker look at it sooner (`worker.py`).
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.library import wake
from generations.library.bulk import actions as bulk_actions
from generations.library.bulk import worker as bulk_worker
from generations.library.models import BulkAction
from generations.teams.models import Membership

MAX_IMAGES = 10_000
MAX_IMAGES_INLINE = 200  # done within the request; more are left to a worker
RETENTION = timedelta(days=7)  # of ended actions, which can be undone until then


def start(
    *,
    member: Membership,
    kind: type[bulk_actions.BulkActionKind],
    images: list[uuid.UUID],
    argument: str = "",
    undoes: BulkAction | None = None,
) -> BulkAction:
    """Start an action on at most 10,000 images; on up to 200 it has ended when this returns.

    Raises InvalidBulkAction if the member's role does not allow it, or the argument is of no use.
    """
    bulk_actions.check_can_start(kind, member, images)
    if len(images) > MAX_IMAGES:
        raise bulk_actions.InvalidBulkAction(
            _("At most %(count)s pictures at once.") % {"count": f"{MAX_IMAGES:,}"}
        )
    kind(member, argument).validate()
    action = BulkAction.objects.create(
        team_id=member.team_id,
        member=member,
        kind=kind.name,
        argument=argument,
        images=[str(image) for image in dict.fromkeys(images)],
        undoes=undoes,
    )
    if action.total > MAX_IMAGES_INLINE:
        transaction.on_commit(partial(wake.run_bulk_action, action.pk))
    else:
        bulk_worker.process(action.pk)
        action.refresh_from_db()
    return action


def undo(*, member: Membership, action: BulkAction) -> BulkAction:
    """Undo what an action of the member's changed, once; return the action that does it.

    Raises InvalidBulkAction if it has not ended, is another member's, or cannot be undone.
    """
    name = bulk_actions.KINDS[action.kind].undo
    if action.member_id != member.pk or action.ended_at is None or not name:
        raise bulk_actions.InvalidBulkAction(_("This cannot be undone."))
    images = [uuid.UUID(image) for image in action.changed]
    try:
        with transaction.atomic():
            return start(
                member=member,
                kind=bulk_actions.KINDS[name],
                images=images,
                argument=action.argument,
                undoes=action,
            )
    except IntegrityError:  # it was undone before: one row may undo it
        return BulkAction.objects.get(undoes=action)


def delete_old() -> int:
    """Delete actions that ended more than a week ago; return how many rows went."""
    old = BulkAction.objects.filter(ended_at__lt=timezone.now() - RETENTION)
    return old.filter(undone_by=None).delete()[0]
