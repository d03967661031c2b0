"""Working at deeds: a few hundred images at a time, by whoever holds the lease.

A worker that is lost leaves the rest to the next one. Taking an image twice changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from generations.library.images import service as images_service
from generations.library.models import Act, Collection, Deed
from generations.library.organise import service as organise_service
from generations.library.trash import purge as trash_purge
from generations.teams.models import Membership, Visibility
from generations.teams.permissions import may

AT_ONCE = 200  # images of one transaction
LEASE = timedelta(seconds=30)
TURN = 5.0  # seconds that a deed takes before it lets others have the worker
PERMISSIONS = {Act.LIKE: "see", Act.UNLIKE: "see"}


def is_allowed(member: Membership, act: Act) -> bool:
    """Whether the member may do that at all."""
    return may(member, PERMISSIONS.get(act, "organise"))


def carry_on(pk: uuid.UUID) -> bool:
    """Work at a deed for a few seconds; True if something is left to do."""
    until = monotonic() + TURN
    deed = _take(pk)
    while deed is not None and deed.ended_at is None:
        if not _step(deed):
            return False
        deed.refresh_from_db()
        if monotonic() > until and deed.ended_at is None:
            Deed.objects.filter(pk=pk).update(lease_until=None)
            return True
    return False


def abandoned() -> list[uuid.UUID]:
    """Deeds that nobody works at."""
    free = Q(lease_until=None, created_at__lt=timezone.now() - LEASE) | Q(lease_until__lt=Now())
    return list(Deed.objects.filter(free, ended_at=None).values_list("pk", flat=True)[:100])


def _take(pk: uuid.UUID) -> Deed | None:
    """The deed, if it is ours to work at now."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    taken = Deed.objects.filter(free, pk=pk, ended_at=None).update(lease_until=timezone.now() + LEASE)
    return Deed.objects.select_related("member__user", "member__team").get(pk=pk) if taken else None


@transaction.atomic
def _step(deed: Deed) -> bool:
    """Take the next images; False if somebody else has taken the deed over meanwhile."""
    member = Membership.objects.select_related("user", "team").get(pk=deed.member_id)
    images = [uuid.UUID(image) for image in deed.images[deed.done : deed.done + AT_ONCE]]
    allowed = member.is_current and is_allowed(member, Act(deed.act))
    changed = _act(deed, member, images) if images and allowed else []
    done = deed.done + len(images)
    mine = Deed.objects.filter(pk=deed.pk, done=deed.done, ended_at=None, lease_until=deed.lease_until)
    written = mine.update(
        done=F("done") + len(images),
        changed=[*deed.changed, *map(str, changed)],
        lease_until=timezone.now() + LEASE,
        ended_at=Now() if done >= deed.total else None,
    )
    if not written:
        transaction.set_rollback(True)
    return bool(written)


def _act(deed: Deed, member: Membership, images: list[uuid.UUID]) -> list[uuid.UUID]:
    about: dict[str, Any] = {"member": member, "images": images}
    acts: dict[str, Callable[[], list[uuid.UUID]]] = {
        Act.TAG: lambda: organise_service.tag(**about, name=deed.argument),
        Act.UNTAG: lambda: organise_service.untag(**about, name=deed.argument),
        Act.COLLECT: lambda: organise_service.collect(**about, collection=uuid.UUID(deed.argument)),
        Act.TAKE_OUT: lambda: organise_service.take_out(**about, collection=uuid.UUID(deed.argument)),
        Act.LIKE: lambda: organise_service.like(**about),
        Act.UNLIKE: lambda: organise_service.unlike(**about),
        Act.SHOW_TEAM: lambda: images_service.set_visibility(**about, visibility=Visibility.TEAM),
        Act.KEEP_PRIVATE: lambda: images_service.set_visibility(**about, visibility=Visibility.PRIVATE),
        Act.TRASH: lambda: images_service.trash(**about),
        Act.RESTORE: lambda: images_service.restore(**about),
        Act.PURGE: lambda: trash_purge.purge(**about),
    }
    try:
        return acts[deed.act]()
    except Collection.DoesNotExist:  # deleted meanwhile
        return []
