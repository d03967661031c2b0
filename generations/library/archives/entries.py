"""The entries of a zip: access checked again, read, verified and converted to the requested format."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import uuid
from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from generations.library.delivery.zip_stream import ZipEntry
from generations.library.imaging import convert as imaging_convert
from generations.library.imaging import decode as imaging_decode
from generations.library.models import Image
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from generations.teams.models import Membership

log = logging.getLogger(__name__)

ATTEMPTS = 2  # to read an object; it is read whole before any of it is sent
DECODING_ATTEMPTS = 6  # two minutes: a zip has time, and should not fail because many others are packed


class AccessChanged(Exception):
    """The member may not see one of the images any more."""


class ObjectDamaged(Exception):
    """The bytes in storage are not those of the row."""


class EntryFailed(Exception):
    """One entry cannot be sent; the cause says why."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


# A sentence for the user for each exception; the first that matches.
REASONS = (
    (
        storage_client.ObjectMissing,
        _("The file of “%(name)s” is missing from the storage. Leave it out, and try again."),
    ),
    (ObjectDamaged, _("The file of “%(name)s” is damaged in the storage. Leave it out, and try again.")),
    (imaging_decode.Unreadable, _("“%(name)s” cannot be made into this format. Take the originals instead.")),
    (
        imaging_decode.DecodingBusy,
        _("Too many pictures were being worked on at “%(name)s”. Please try again in a minute."),
    ),
    (
        storage_client.StorageUnavailable,
        _("The storage for pictures stopped answering at “%(name)s”. Please try again in a minute."),
    ),
    (AccessChanged, _("Pictures were removed or hidden while they were packed.")),
    (
        (asyncio.CancelledError, GeneratorExit),
        _("The connection was lost or the download was stopped before the zip was whole."),
    ),
    (BaseException, _("Something went wrong here while the zip was packed.")),
)


FAILURES = (
    storage_client.StorageUnavailable,
    imaging_decode.DecodingBusy,
    imaging_decode.Unreadable,
    ObjectDamaged,
)


def read_entry(
    entry: ZipEntry, image: Image, output: imaging_convert.OutputFormat
) -> list[tuple[str, bytes]]:
    """Names and bytes of an image's file in the requested format, and of the text file beside it if any.

    The parameters of a signed file, which must not be changed, are beside it. Raises EntryFailed.
    """
    name = entry.name
    try:
        data = _verified(_read(image.key), image)
        file = _convert(image, data, output)
    except imaging_convert.NotConverted:  # one picture that moves must not fail the zip of a thousand
        file, output = data, imaging_convert.OutputFormat(with_parameters=output.with_parameters)
        name = _unconverted_name(entry.name, image)
    except FAILURES as error:
        raise EntryFailed(entry.name) from error
    parameters = imaging_convert.sidecar_parameters(image, file, output)
    beside = [(f"{name}.txt", parameters.encode())] if parameters else []
    return [(name, file), *beside]


def _unconverted_name(name: str, image: Image) -> str:
    """The name of an entry that keeps its own format; no other entry has it, since theirs are numbered."""
    extension = storage_keys.EXTENSIONS.get(image.media_type, "bin")
    stem = name.rpartition(".")[0]
    return name if name == f"{stem}.{extension}" else f"{stem}.original.{extension}"


def load_images(member: int, entries: Sequence[ZipEntry]) -> dict[uuid.UUID, Image]:
    """The images of the entries by id. Raises AccessChanged unless the member may see all of them."""
    membership = Membership.objects.select_related("user", "team").get(pk=member)
    ids = [entry.image for entry in entries]
    images = Image.objects.visible_to(membership).defer("placeholder").in_bulk(ids)
    if not membership.is_current or len(images) != len(ids):
        raise AccessChanged
    return images


def failure_reason(error: BaseException) -> str:
    """Why a zip failed, as a sentence in the active language."""
    cause, params = error, dict[str, str]()
    if isinstance(error, EntryFailed):
        cause, params = error.__cause__ or error, {"name": error.name}
    return next(str(reason) for kind, reason in REASONS if isinstance(cause, kind)) % params


def _verified(data: bytes, image: Image) -> bytes:
    if len(data) != image.bytes or hashlib.sha256(data).hexdigest() != image.sha256:
        raise ObjectDamaged
    return data


def _convert(image: Image, data: bytes, output: imaging_convert.OutputFormat) -> bytes:
    """The file in the output format; waits longer for its turn to decode than a page would."""
    for _attempt in range(DECODING_ATTEMPTS - 1):
        try:
            return imaging_convert.convert(image, data, output)
        except imaging_decode.DecodingBusy:
            log.info("A zip waits for its turn to decode a picture")
    return imaging_convert.convert(image, data, output)


def _read(key: str) -> bytes:
    """The object, with one retry."""
    for _attempt in range(ATTEMPTS - 1):
        try:
            return storage_client.read(key)
        except storage_client.ObjectMissing:
            raise
        except storage_client.StorageUnavailable as error:
            log.info("Reading an object again: %s", error.cause)
    return storage_client.read(key)
