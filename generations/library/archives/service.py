"""Zips: asked for, sent once, and what became of them. `packing.py` sends the bytes.

A zip is never made twice: whoever wants it again makes a new row, so the bytes of each have one owner.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from generations.library.delivery import responses as delivery_responses
from generations.library.imaging import convert as imaging_convert
from generations.library.models import Archive, Image, Packing
from generations.teams.models import Membership

MOST = 10_000  # images of one zip
AT_A_TIME = 2  # zips under way, of one member
WAITING = 20  # zips that one member asked for and never fetched
SILENCE = timedelta(seconds=30)  # a process that sends says so every five
KEPT = timedelta(days=1)
AT_ONCE = 500  # rows of one question
LONGEST_REASON = 400


class BadArchive(ValueError):
    """It cannot be packed; says why."""


class AlreadyBegun(Exception):
    """This zip is being sent, or was."""

    def __init__(self) -> None:
        super().__init__(_("This zip is sent once. To get it again, press Download again on its page."))


@dataclass(frozen=True)
class Entry:
    """A file of a zip. `size` is that of the stored object, in bytes."""

    image: uuid.UUID
    name: str
    size: int


@dataclass(frozen=True)
class Plan:
    """What is sent, decided before the first byte."""

    archive: uuid.UUID
    member: int
    form: imaging_convert.Form
    entries: list[Entry]
    language: str

    @property
    def name(self) -> str:
        """What the file is called."""
        return f"sdweb-{len(self.entries)}-{str(self.archive)[-6:]}.zip"


def ask(*, member: Membership, images: Iterable[uuid.UUID], form: imaging_convert.Form) -> Archive:
    """Have images packed, at most 10,000. Raises BadArchive."""
    wanted = [str(image) for image in dict.fromkeys(images)]
    if not wanted:
        raise BadArchive(_("Choose some pictures first."))
    if len(wanted) > MOST:
        raise BadArchive(_("At most %(count)s pictures in one zip.") % {"count": f"{MOST:,}"})
    _refuse_a_third(member)
    _forget_unfetched(member)
    return Archive.objects.create(
        team_id=member.team_id,
        member=member,
        images=wanted,
        form=form.format,
        with_parameters=form.with_parameters,
    )


def ask_again(*, member: Membership, archive: Archive) -> Archive:
    """The same zip once more. Raises BadArchive."""
    images = [uuid.UUID(image) for image in archive.images]
    return ask(member=member, images=images, form=form_of(archive))


def form_of(archive: Archive) -> imaging_convert.Form:
    """What files are in it."""
    return imaging_convert.Form(archive.form, archive.with_parameters)


@transaction.atomic
def begin(*, member: Membership, archive: Archive) -> Plan:
    """Take the zip for sending, for whoever comes first, and leave out what the member cannot see now.

    Raises AlreadyBegun, and BadArchive if nothing is to be sent.
    """
    Membership.objects.select_for_update(no_key=True).get(pk=member.pk)  # two cannot be the second one
    if not Archive.objects.filter(pk=archive.pk, state=Packing.READY).exists():
        raise AlreadyBegun
    _refuse_a_third(member)
    plan = planned(member=member, archive=archive)
    if not plan.entries:
        raise BadArchive(_("None of these pictures is in the library any more."))
    kept = [str(entry.image) for entry in plan.entries]
    gone = len(archive.images) - len(kept)
    now = timezone.now()
    Archive.objects.filter(pk=archive.pk, state=Packing.READY).update(
        state=Packing.UNDER_WAY, images=kept, reason=_gone(gone), changed_at=now
    )
    return plan


def planned(*, member: Membership, archive: Archive) -> Plan:
    """What would be sent now."""
    form = form_of(archive)
    named = _named(_visible(member, archive.images), form)
    return Plan(archive.pk, member.pk, form, list(named), get_language() or "en")


def refuse(archive: uuid.UUID, reason: str) -> None:
    """It was not even begun; the reason is a sentence for its maker."""
    unbegun = Archive.objects.filter(pk=archive, state=Packing.READY)
    unbegun.update(state=Packing.FAILED, reason=reason[:LONGEST_REASON], changed_at=timezone.now())


def report(archive: uuid.UUID, packed: int) -> None:
    """Tell how far a zip is, and that somebody is still at it."""
    _under_way(archive).update(packed=packed, changed_at=timezone.now())


def finish(archive: uuid.UUID, packed: int) -> None:
    """The last byte is sent."""
    _under_way(archive).update(state=Packing.DONE, packed=packed, changed_at=timezone.now())


def fail(archive: uuid.UUID, reason: str, *, packed: int) -> None:
    """It was broken off; the reason is a sentence for its maker. What was left out is told no less."""
    left_out = _under_way(archive).values_list("reason", flat=True).first() or ""
    told = f"{reason} {left_out}".strip()[:LONGEST_REASON]
    _under_way(archive).update(state=Packing.FAILED, packed=packed, reason=told, changed_at=timezone.now())


def is_abandoned(archive: Archive) -> bool:
    """Whether the process that sent it is gone."""
    return archive.state == Packing.UNDER_WAY and archive.changed_at < timezone.now() - SILENCE


def standing(archive: Archive) -> Archive:
    """The archive as its maker should see it: what nobody sends any more has failed."""
    if is_abandoned(archive):
        archive.state = Packing.FAILED
        archive.reason = " ".join(
            (_("The portal was restarted while this zip was sent."), archive.reason)
        ).strip()
    return archive


def forget_old() -> int:
    """Forget zips that were asked for more than a day ago and are not under way; how many."""
    now = timezone.now()
    at_work = Q(state=Packing.UNDER_WAY, changed_at__gte=now - SILENCE)
    return Archive.objects.filter(created_at__lt=now - KEPT).exclude(at_work).delete()[0]


def _under_way(archive: uuid.UUID) -> QuerySet[Archive]:
    return Archive.objects.filter(pk=archive, state=Packing.UNDER_WAY)


def _refuse_a_third(member: Membership) -> None:
    alive = {"state": Packing.UNDER_WAY, "changed_at__gte": timezone.now() - SILENCE}
    if Archive.objects.filter(member=member, **alive).count() >= AT_A_TIME:
        raise BadArchive(_("Two of your zips are being sent already. Wait until one of them is whole."))


def _forget_unfetched(member: Membership) -> None:
    """Keep few of those that nobody fetched: each remembers thousands of ids."""
    unfetched = Archive.objects.filter(member=member, state=Packing.READY).order_by("-created_at", "-pk")
    oldest = list(unfetched.values_list("pk", flat=True)[WAITING - 1 :])
    Archive.objects.filter(pk__in=oldest, state=Packing.READY).delete()


def _visible(member: Membership, wanted: list[str]) -> Iterator[Image]:
    """The images that the member may see, in their order, without what is long."""
    for start in range(0, len(wanted), AT_ONCE):
        part = [uuid.UUID(image) for image in wanted[start : start + AT_ONCE]]
        rows = Image.objects.visible_to(member).filter(pk__in=part)
        found = rows.defer("negative_prompt", "parameters", "placeholder").in_bulk()
        yield from (found[image] for image in part if image in found)


def _named(images: Iterable[Image], form: imaging_convert.Form) -> Iterator[Entry]:
    """Each with a name of its own."""
    taken: set[str] = set()
    for image in images:
        name = delivery_responses.file_name(image, form.media_type(image), in_ascii=True)
        stem, _dot, ending = name.rpartition(".")
        free = (f"{stem}-{number}.{ending}" for number in count(2))
        while name in taken:
            name = next(free)
        taken.add(name)
        yield Entry(image.pk, name, image.bytes)


def _gone(number: int) -> str:
    if not number:
        return ""
    told = ngettext(
        "%(number)d of the chosen pictures is no longer in the library and is left out.",
        "%(number)d of the chosen pictures are no longer in the library and are left out.",
        number,
    )
    return told % {"number": number}
