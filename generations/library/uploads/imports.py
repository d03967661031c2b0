"""Pictures that people bring into the library: each once, found like any other, only its pixels kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from django.db import transaction

from generations.library.images import service as images_service
from generations.library.models import Image, Origin, Upload
from generations.library.search import indexer
from generations.library.uploads import start_images
from generations.teams.models import Team, Visibility

if TYPE_CHECKING:
    from generations.teams.models import Membership


@dataclass(frozen=True)
class Brought:
    """What became of a file: a new image, or the one that was there already (perhaps in the trash)."""

    image: Image
    is_new: bool = True

    @property
    def is_in_trash(self) -> bool:
        """True if it has to be restored to be seen."""
        return self.image.trashed_at is not None


def bring(*, member: Membership, file: IO[bytes], name: str, visibility: str = "") -> Brought:
    """Check a file, encode it anew and enter it as an image of the member's, unless the member has it.

    `visibility` is the member's usual one if empty. The same picture is known by the bytes as they came or
    as they are kept. Raises BadUpload with a sentence for the person, StorageUnavailable.
    """
    data = start_images.bounded(file)
    if known := _known(member, hashlib.sha256(data).hexdigest()):
        return Brought(known, is_new=False)
    encoded = start_images.encoded_anew(data)
    facts = encoded.facts(member)
    if known := _known(member, facts["sha256"]):
        return Brought(known, is_new=False)
    facts |= {"title": _title(name), "visibility": visibility or usual_visibility(member)}
    return start_images.keep(facts["key"], encoded, partial(_enter, member, facts))


def add_upload(*, member: Membership, upload: Upload) -> Brought:
    """Enter a start image of the member's as an image too, unless the member has it."""
    names = ("team_id", "key", "sha256", "media_type", "width", "height", "bytes")
    facts = {name: getattr(upload, name) for name in names}
    return _enter(member, facts | {"title": _title(upload.name), "visibility": usual_visibility(member)})


def usual_visibility(member: Membership) -> str:
    """Who sees what the member brings, if nothing else is said."""
    return member.user.default_visibility if member.user else Visibility.TEAM


@transaction.atomic
def _enter(member: Membership, facts: dict[str, Any]) -> Brought:
    """The new image; of two who bring the same at once the second gets the first one's, if it is seen."""
    Team.objects.select_for_update(no_key=True).get(pk=member.team_id)
    if known := _known(member, facts["sha256"]):
        return Brought(known, is_new=False)
    image = Image.objects.create(owner=member, origin=Origin.UPLOADED, **facts)
    indexer.add(image)
    return Brought(image)


def _known(member: Membership, sha256: str) -> Image | None:
    """An image of these bytes that the member sees, or could bring back; nobody hears of any other."""
    seen = images_service.visible(member).filter(sha256=sha256)
    trashed = images_service.in_trash(member).filter(sha256=sha256)
    return seen.order_by("pk").first() or trashed.order_by("pk").first()


def _title(name: str) -> str:
    """A file's name without its ending."""
    words = " ".join(start_images.printable(name).split())
    stem, dot, _ending = words.rpartition(".")
    return (stem if dot and stem else words)[: images_service.MAX_TITLE_LENGTH]
