"""What goes into a zip: every picture whole, as it was asked for, and only what its maker may see."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from generations.library.imaging import convert as imaging_convert
from generations.library.imaging import decode as imaging_decode
from generations.library.models import Image
from generations.library.storage import client as storage_client
from generations.teams.models import Membership

if TYPE_CHECKING:
    import uuid

    from generations.library.archives.service import Entry
    from generations.library.imaging.convert import Form

log = logging.getLogger(__name__)

TRIES = 2  # at an object: it is read whole before any of it is sent


class Changed(Exception):
    """What was promised may not be sent any more."""


class Damaged(Exception):
    """Storage has other bytes than it was given."""


class Unsendable(Exception):
    """One picture cannot be sent; the cause says why."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


# What happened, for a person; the first that fits.
REASONS = (
    (
        storage_client.Missing,
        _("The file of “%(name)s” is missing from the storage. Leave it out, and try again."),
    ),
    (Damaged, _("The file of “%(name)s” is damaged in the storage. Leave it out, and try again.")),
    (imaging_decode.Unreadable, _("“%(name)s” cannot be made into this format. Take the originals instead.")),
    (
        storage_client.StorageUnavailable,
        _("The storage for pictures stopped answering at “%(name)s”. Please try again in a minute."),
    ),
    (Changed, _("Pictures were removed or hidden while they were packed.")),
    (
        (asyncio.CancelledError, GeneratorExit),
        _("The connection was lost or the download was stopped before the zip was whole."),
    ),
    (BaseException, _("Something went wrong here while the zip was packed.")),
)


def made(entry: Entry, image: Image, form: Form) -> bytes:
    """The file of an image, checked and as it was asked for. Raises Unsendable."""
    try:
        return imaging_convert.made(image, _checked(_read(image.key), image), form)
    except (storage_client.StorageUnavailable, imaging_decode.Unreadable, Damaged) as problem:
        raise Unsendable(entry.name) from problem


def rows(member: int, entries: Sequence[Entry]) -> dict[uuid.UUID, Image]:
    """The images of the entries, if the member may see every one of them; else Changed."""
    holder = Membership.objects.select_related("user", "team").get(pk=member)
    wanted = [entry.image for entry in entries]
    found = Image.objects.visible_to(holder).defer("placeholder").in_bulk(wanted)
    if not holder.is_current or len(found) != len(wanted):
        raise Changed
    return found


def why(problem: BaseException) -> str:
    """What happened, as a sentence in the present language."""
    named = isinstance(problem, Unsendable)
    about = {"name": problem.name} if isinstance(problem, Unsendable) else {}
    cause = problem.__cause__ if named else problem
    return next(str(reason) for kind, reason in REASONS if isinstance(cause, kind)) % about


def _checked(data: bytes, image: Image) -> bytes:
    if len(data) != image.bytes or hashlib.sha256(data).hexdigest() != image.sha256:
        raise Damaged
    return data


def _read(key: str) -> bytes:
    """The object, tried again once."""
    for _again in range(TRIES - 1):
        try:
            return storage_client.read(key)
        except storage_client.Missing:
            raise
        except storage_client.StorageUnavailable as problem:
            log.info("Reading an object again: %s", problem.cause)
    return storage_client.read(key)
