"""Acting on many images at once: a few while the page waits, thousands beside it, and a way back.

A deed is a row, and a ring is only a doorbell (`carrying.py` does the work).
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.library import wake
from generations.library.bulk import worker as bulk_worker
from generations.library.models import Act, Collection, Deed
from generations.library.organise import service as organise_service

if TYPE_CHECKING:
    from generations.teams.models import Membership

MOST = 10_000  # images of one deed
WHILE_THE_PAGE_WAITS = 200
KEPT = timedelta(days=7)
BACK = {
    Act.TAG: Act.UNTAG,
    Act.UNTAG: Act.TAG,
    Act.COLLECT: Act.TAKE_OUT,
    Act.TAKE_OUT: Act.COLLECT,
    Act.LIKE: Act.UNLIKE,
    Act.UNLIKE: Act.LIKE,
    Act.SHOW_TEAM: Act.KEEP_PRIVATE,
    Act.KEEP_PRIVATE: Act.SHOW_TEAM,
    Act.TRASH: Act.RESTORE,
}


class BadDeed(ValueError):
    """It cannot be done; says why."""


def start(
    *, member: Membership, act: Act, images: list[uuid.UUID], argument: str = "", undoes: Deed | None = None
) -> Deed:
    """Begin to act on images, at most 10,000; a few are done at once. The rest waits for `carry_on`.

    Raises BadDeed for an act that the member's role does not allow, and for a bad name or collection.
    """
    _check(member, act, images, argument)
    deed = Deed.objects.create(
        team_id=member.team_id,
        member=member,
        act=act,
        argument=argument,
        images=[str(image) for image in dict.fromkeys(images)],
        undoes=undoes,
    )
    if deed.total > WHILE_THE_PAGE_WAITS:
        transaction.on_commit(partial(wake.run_bulk_action, deed.pk))
    else:
        bulk_worker.carry_on(deed.pk)
        deed.refresh_from_db()
    return deed


def undo(*, member: Membership, deed: Deed) -> Deed:
    """Take back what a deed of the member's changed; once. Raises BadDeed if it cannot be taken back."""
    if deed.member_id != member.pk or deed.ended_at is None or deed.act not in BACK:
        raise BadDeed(_("This cannot be undone."))
    back, images = Act(BACK[Act(deed.act)]), [uuid.UUID(image) for image in deed.changed]
    try:
        with transaction.atomic():
            return start(member=member, act=back, images=images, argument=deed.argument, undoes=deed)
    except IntegrityError:  # it was undone before
        return Deed.objects.get(undoes=deed)


def forget_old() -> int:
    """Forget deeds that nobody will undo any more; how many."""
    old = Deed.objects.filter(ended_at__lt=timezone.now() - KEPT)
    return old.filter(undone_by=None).delete()[0]


def _check(member: Membership, act: Act, images: list[uuid.UUID], argument: str) -> None:
    if not bulk_worker.is_allowed(member, act):
        raise BadDeed(_("Your role in this team does not allow this."))
    if not images:
        raise BadDeed(_("Choose some pictures first."))
    if len(images) > MOST:
        raise BadDeed(_("At most %(count)s pictures at once.") % {"count": f"{MOST:,}"})
    if act in {Act.TAG, Act.UNTAG}:
        try:
            organise_service.checked_tag(argument)
        except organise_service.BadName as problem:
            raise BadDeed(str(problem)) from problem
    if act in {Act.COLLECT, Act.TAKE_OUT} and not _is_collection(member, argument):
        raise BadDeed(_("There is no such collection any more."))


def _is_collection(member: Membership, argument: str) -> bool:
    try:
        return Collection.objects.visible_to(member).filter(pk=uuid.UUID(argument)).exists()
    except ValueError:
        return False
