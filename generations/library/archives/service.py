"""Zips: requested, sent once, and their outcome. `stream.py` sends the bytes; none are stored.

Every download is a row of its own, and one process sends it: to get a zip again, another row is created.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from generations.library.delivery import responses as delivery_responses
from generations.library.delivery import zip_stream
from generations.library.delivery.zip_stream import ZipEntry
from generations.library.imaging import convert as imaging_convert
from generations.library.models import Archive, Image, Packing
from generations.teams.models import Membership

MAX_IMAGES = 10_000  # of one zip
MAX_CONCURRENT = 2  # zips of one member that are being sent
MAX_READY = 20  # zips of one member that were requested and never downloaded
STALE_AFTER = timedelta(seconds=30)  # the process that sends a zip reports every five seconds
RETENTION = timedelta(days=1)
BATCH_SIZE = 500  # rows of one query
MAX_REASON_LENGTH = 400


class BadArchive(ValueError):
    """The zip cannot be created or sent; the text says why."""


class AlreadyStarted(Exception):
    """The zip is being sent, or was sent."""

    def __init__(self) -> None:
        super().__init__(_("This zip is sent once. To get it again, press Download again on its page."))


@dataclass(frozen=True)
class Plan:
    """What a zip contains, decided before the first byte is sent."""

    archive: uuid.UUID
    member: int
    output: imaging_convert.OutputFormat
    entries: list[ZipEntry]
    language: str

    @property
    def name(self) -> str:
        """The file name of the zip."""
        return f"sdweb-{len(self.entries)}-{str(self.archive)[-6:]}.zip"


def create(
    *, member: Membership, images: Iterable[uuid.UUID], output: imaging_convert.OutputFormat
) -> Archive:
    """Request a zip of at most 10,000 images. Raises BadArchive."""
    ids = [str(image) for image in dict.fromkeys(images)]
    if not ids:
        raise BadArchive(_("Choose some pictures first."))
    if len(ids) > MAX_IMAGES:
        raise BadArchive(_("At most %(count)s pictures in one zip.") % {"count": f"{MAX_IMAGES:,}"})
    _check_concurrency(member)
    _delete_oldest_ready(member)
    return Archive.objects.create(
        team_id=member.team_id,
        member=member,
        images=ids,
        form=output.format,
        with_parameters=output.with_parameters,
    )


def create_again(*, member: Membership, archive: Archive) -> Archive:
    """Request the same zip again. Raises BadArchive."""
    images = [uuid.UUID(image) for image in archive.images]
    return create(member=member, images=images, output=output_format(archive))


def output_format(archive: Archive) -> imaging_convert.OutputFormat:
    """The format of the files in the zip."""
    return imaging_convert.OutputFormat(archive.form, archive.with_parameters)


def start(*, member: Membership, archive: Archive) -> Plan:
    """Claim the zip for sending. Only the first caller gets it; images the member cannot see are left out.

    Raises AlreadyStarted, and BadArchive if no image is left or too many zips are being sent.
    """
    _check_ready(member, archive)
    plan = make_plan(member=member, archive=archive)  # before the lock: reading 10,000 rows takes seconds
    if not plan.entries:
        raise BadArchive(_("None of these pictures is in the library any more."))
    included = [str(entry.image) for entry in plan.entries]
    left_out = len(archive.images) - len(included)
    changes = {"images": included} if left_out else {}
    with transaction.atomic():
        Membership.objects.select_for_update(no_key=True).get(
            pk=member.pk
        )  # so that the limit holds in a race
        _check_ready(member, archive)
        Archive.objects.filter(pk=archive.pk, state=Packing.READY).update(
            state=Packing.UNDER_WAY,
            reason=_left_out_sentence(left_out),
            changed_at=timezone.now(),
            **changes,
        )
    return plan


def make_plan(*, member: Membership, archive: Archive) -> Plan:
    """What the zip would contain now."""
    output = output_format(archive)
    images = _visible(member, archive.images)
    named = zip_stream.unique_entries(images, lambda image: _file_name(image, output))
    return Plan(archive.pk, member.pk, output, list(named), get_language() or "en")


def mark_refused(archive: uuid.UUID, reason: str) -> None:
    """Record that the zip could not be started; `reason` is a sentence for the user."""
    ready = Archive.objects.filter(pk=archive, state=Packing.READY)
    ready.update(state=Packing.FAILED, reason=reason[:MAX_REASON_LENGTH], changed_at=timezone.now())


def report_progress(archive: uuid.UUID, packed: int) -> None:
    """Record how many images were sent, and that the process is alive."""
    _running(archive).update(packed=packed, changed_at=timezone.now())


def finish(archive: uuid.UUID, packed: int) -> None:
    """Record that the last byte was sent."""
    _running(archive).update(state=Packing.DONE, packed=packed, changed_at=timezone.now())


def fail(archive: uuid.UUID, reason: str, *, packed: int) -> None:
    """Record that sending failed; `reason` is a sentence for the user, the one on images left out follows."""
    left_out = _running(archive).values_list("reason", flat=True).first() or ""
    reason = f"{reason} {left_out}".strip()[:MAX_REASON_LENGTH]
    _running(archive).update(state=Packing.FAILED, packed=packed, reason=reason, changed_at=timezone.now())


def is_abandoned(archive: Archive) -> bool:
    """Whether the process that sent it has died."""
    return archive.state == Packing.UNDER_WAY and archive.changed_at < timezone.now() - STALE_AFTER


def with_current_state(archive: Archive) -> Archive:
    """The archive to be shown: an abandoned one as failed (the row is not changed)."""
    if is_abandoned(archive):
        archive.state = Packing.FAILED
        archive.reason = " ".join(
            (_("The portal was restarted while this zip was sent."), archive.reason)
        ).strip()
    return archive


def delete_old() -> int:
    """Delete zips that were requested more than a day ago and are not being sent; return how many."""
    now = timezone.now()
    running = Q(state=Packing.UNDER_WAY, changed_at__gte=now - STALE_AFTER)
    return Archive.objects.filter(created_at__lt=now - RETENTION).exclude(running).delete()[0]


def _running(archive: uuid.UUID) -> QuerySet[Archive]:
    return Archive.objects.filter(pk=archive, state=Packing.UNDER_WAY)


def _check_ready(member: Membership, archive: Archive) -> None:
    """Raise AlreadyStarted unless the zip waits to be sent, BadArchive if others are being sent."""
    if not Archive.objects.filter(pk=archive.pk, state=Packing.READY).exists():
        raise AlreadyStarted
    _check_concurrency(member)


def _check_concurrency(member: Membership) -> None:
    """Raise BadArchive if the member has as many running zips as are allowed."""
    running = {"state": Packing.UNDER_WAY, "changed_at__gte": timezone.now() - STALE_AFTER}
    if Archive.objects.filter(member=member, **running).count() >= MAX_CONCURRENT:
        raise BadArchive(_("Two of your zips are being sent already. Wait until one of them is whole."))


def _delete_oldest_ready(member: Membership) -> None:
    """Keep few zips that were never downloaded, since each row has thousands of ids."""
    ready = Archive.objects.filter(member=member, state=Packing.READY).order_by("-created_at", "-pk")
    oldest = list(ready.values_list("pk", flat=True)[MAX_READY - 1 :])
    Archive.objects.filter(pk__in=oldest, state=Packing.READY).delete()


def _visible(member: Membership, ids: list[str]) -> Iterator[Image]:
    """Yield those of the images that the member may see, in order, without their long columns."""
    for start_at in range(0, len(ids), BATCH_SIZE):
        part = [uuid.UUID(image) for image in ids[start_at : start_at + BATCH_SIZE]]
        rows = Image.objects.visible_to(member).filter(pk__in=part)
        images = rows.defer("negative_prompt", "parameters", "placeholder", "text").in_bulk()
        yield from (images[image] for image in part if image in images)


def _file_name(image: Image, output: imaging_convert.OutputFormat) -> str:
    return delivery_responses.file_name(image, output.media_type(image))


def _left_out_sentence(number: int) -> str:
    if not number:
        return ""
    text = ngettext(
        "%(number)d of the chosen pictures is no longer in the library and is left out.",
        "%(number)d of the chosen pictures are no longer in the library and are left out.",
        number,
    )
    return text % {"number": number}
