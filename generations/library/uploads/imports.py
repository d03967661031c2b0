"""Import uploaded images into the library: re-encoded, searchable, and each only once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

from django.db import transaction

from generations.library.images import service as images_service
from generations.library.models import Image, Origin, Upload
from generations.library.search import indexer
from generations.library.uploads import input_images
from generations.teams.models import Membership, Team


@dataclass(frozen=True)
class ImportResult:
    """The image of a file: a new one, or one that the library has already (perhaps in the trash)."""

    image: Image
    is_new: bool = True

    @property
    def is_in_trash(self) -> bool:
        """True if the image must be restored to be seen."""
        return self.image.trashed_at is not None


def import_file(*, member: Membership, file: IO[bytes], name: str, visibility: str = "") -> ImportResult:
    """Check a file, re-encode it and add it as an image of the member, unless the member sees it already.

    `visibility` defaults to the member's own. Equal images are found by the SHA-256 of the file and of the
    re-encoded image. Raises BadUpload with a sentence for the user, StorageUnavailable.
    """
    data = input_images.read_bounded(file)
    if existing := _existing(member, hashlib.sha256(data).hexdigest()):
        return ImportResult(existing, is_new=False)
    encoded = input_images.reencode(data)
    fields = encoded.row_fields(member)
    if existing := _existing(member, fields["sha256"]):
        return ImportResult(existing, is_new=False)
    fields |= {"title": _title(name), "visibility": visibility or member.default_visibility}
    return input_images.store(fields["key"], encoded, partial(_add, member, fields))


def import_upload(*, member: Membership, upload: Upload) -> ImportResult:
    """Add a start image of the member as an image too, unless the member sees it already."""
    names = ("team_id", "key", "sha256", "media_type", "width", "height", "bytes")
    fields = {name: getattr(upload, name) for name in names}
    fields |= {"title": _title(upload.name), "visibility": member.default_visibility}
    return _add(member, fields)


@transaction.atomic
def _add(member: Membership, fields: dict[str, Any]) -> ImportResult:
    """Add the image. The team is locked, so that two imports of one picture do not add it twice."""
    Team.objects.select_for_update(no_key=True).get(pk=member.team_id)
    if existing := _existing(member, fields["sha256"]):
        return ImportResult(existing, is_new=False)
    image = Image.objects.create(owner=member, origin=Origin.UPLOADED, **fields)
    indexer.add(image)
    return ImportResult(image)


def _existing(member: Membership, sha256: str) -> Image | None:
    """An image with these bytes that the member sees or could restore; others are not revealed."""
    visible = images_service.visible(member).filter(sha256=sha256)
    trashed = images_service.in_trash(member).filter(sha256=sha256)
    return visible.order_by("pk").first() or trashed.order_by("pk").first()


def _title(name: str) -> str:
    """The name of a file without its extension."""
    words = " ".join(input_images.printable(name).split())
    stem, dot, _extension = words.rpartition(".")
    return (stem if dot and stem else words)[: images_service.MAX_TITLE_LENGTH]
