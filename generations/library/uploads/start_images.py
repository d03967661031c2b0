"""What people bring: checked by decoding, turned upright, stripped of everything but pixels, kept by hash."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, TypeVar

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from PIL import Image as Pillow

from generations.core import db_connections
from generations.library.imaging import decode as imaging_decode
from generations.library.models import DiscardedObject, Upload
from generations.library.storage import client as storage_client

if TYPE_CHECKING:
    from collections.abc import Callable

    from generations.library.models import Image
    from generations.teams.models import Membership

Row = TypeVar("Row")

LARGEST_FILE = 10 * 1024 * 1024
# The whole request may have 10 MiB, and sides at least 64 pixels: docs/providers/stability.md, "Image input".
LARGEST_RESULT = 9 * 1024 * 1024
SHORTEST_SIDE = 64  # it makes at least 4,096 pixels too
LONGEST_RESULT = 4096  # providers draw about a megapixel: more would only take time
LARGEST_PNG = 4_200_000  # pixels; a larger one takes seconds to write
STEP = 0.75  # a result that is still too large is made smaller by this


class BadUpload(Exception):
    """The file cannot be a start image; says why, and what would do."""


@dataclass(frozen=True)
class Encoded:
    """A picture as it will be stored and sent."""

    data: bytes
    media_type: str
    width: int
    height: int

    def facts(self, member: Membership) -> dict[str, Any]:
        """What the rows of uploads and of images both say of it, for the member's team."""
        sha256 = hashlib.sha256(self.data).hexdigest()
        return {
            "team_id": member.team_id,
            "key": storage_client.upload_key(team=member.team_id, sha256=sha256, media_type=self.media_type),
            "sha256": sha256,
            "media_type": self.media_type,
            "width": self.width,
            "height": self.height,
            "bytes": len(self.data),
        }


def receive(*, member: Membership, file: IO[bytes], name: str) -> Upload:
    """Check a file, encode it anew and keep it; a member's same picture is kept once.

    Raises BadUpload with a sentence for the person, StorageUnavailable if storage is away.
    """
    encoded = encoded_anew(bounded(file))
    facts = encoded.facts(member) | {"name": printable(name)[:200]}
    sha256 = facts.pop("sha256")

    def enter() -> Upload:
        return Upload.objects.get_or_create(owner=member, sha256=sha256, defaults=facts)[0]

    return keep(facts["key"], encoded, enter)


def keep(key: str, encoded: Encoded, enter: Callable[[], Row]) -> Row:
    """Store an object and enter its row; both are there in the end, whatever is removed meanwhile.

    Raises StorageUnavailable.
    """
    storage_client.put(key, encoded.data, media_type=encoded.media_type)
    with transaction.atomic():
        row = enter()
        # Whoever is removing this object holds the line's lock until it is gone, and sees our row after it.
        DiscardedObject.objects.filter(key=key).delete()
    if not storage_client.exists(key):
        storage_client.put(key, encoded.data, media_type=encoded.media_type)
    return row


def from_image(*, member: Membership, image: Image) -> Upload:
    """An image of the library as a start image of the member's. Raises BadUpload, StorageUnavailable."""
    name = f"{image.pk}.{storage_client.EXTENSIONS.get(image.media_type, 'bin')}"
    return receive(member=member, file=io.BytesIO(storage_client.read(image.key)), name=name)


def refuse_size(size: int) -> None:
    """BadUpload if a file of so many bytes is not worth reading."""
    if size > LARGEST_FILE:
        raise BadUpload(_("This file is larger than 10 MB. Save the picture smaller, or as a JPEG."))


def bounded(file: IO[bytes]) -> bytes:
    """The file's bytes, if they are few enough; BadUpload."""
    refuse_size(getattr(file, "size", None) or 0)
    data = file.read(LARGEST_FILE + 1)
    refuse_size(len(data))
    if not data:
        raise BadUpload(_("This file is empty."))
    return data


def encoded_anew(data: bytes) -> Encoded:
    """What is kept of the bytes: nothing but the pixels, within the provider's limits; BadUpload."""
    db_connections.release_connections()  # nothing is held while this waits for its turn to decode
    try:
        with imaging_decode.opened(data) as picture:
            _refuse_stamps(picture)
            lossless = picture.format == "PNG"
            return _encoded(_prepared(picture), lossless=lossless)
    except imaging_decode.Unreadable as problem:
        raise BadUpload(*problem.args) from problem


def printable(name: str) -> str:
    """A file's name without what nobody could read."""
    return "".join(letter for letter in name if letter.isprintable())


def _refuse_stamps(picture: Pillow.Image) -> None:
    """Unreadable if the picture is smaller than providers take."""
    if min(picture.size) < SHORTEST_SIDE:
        raise imaging_decode.Unreadable(_("This picture is too small: both sides need at least 64 pixels."))


def _prepared(picture: Pillow.Image) -> Pillow.Image:
    """The first frame: not too large, the right way up, in sRGB, and opaque (white shows through)."""
    size = _within(picture.size, LONGEST_RESULT / max(picture.size))
    picture.draft("RGB", size)  # a JPEG is decoded small at once
    if picture.size != size:
        picture = imaging_decode.in_eight_bits(picture).resize(
            size, Pillow.Resampling.LANCZOS, reducing_gap=3.0
        )
    colored = imaging_decode.on_white(
        imaging_decode.in_eight_bits(imaging_decode.in_srgb(imaging_decode.upright(picture)))
    )
    colored.info.clear()  # an encoder would write some of it
    return colored


def _within(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """The size made smaller by the scale, as far as the shorter side allows."""
    scale = min(1.0, max(scale, SHORTEST_SIDE / min(size)))
    return max(SHORTEST_SIDE, round(size[0] * scale)), max(SHORTEST_SIDE, round(size[1] * scale))


def _encoded(picture: Pillow.Image, *, lossless: bool) -> Encoded:
    """PNG where that loses nothing and is small enough, else JPEG; smaller until it fits."""
    if lossless and picture.width * picture.height <= LARGEST_PNG:
        data = _saved(picture, "PNG", compress_level=4)
        if len(data) <= LARGEST_RESULT:
            return Encoded(data, "image/png", *picture.size)
    while len(data := _saved(picture, "JPEG", quality=92)) > LARGEST_RESULT:
        picture = picture.resize(_within(picture.size, STEP), Pillow.Resampling.LANCZOS)
    return Encoded(data, "image/jpeg", *picture.size)


def _saved(picture: Pillow.Image, encoding: str, **options: int) -> bytes:
    """The picture's file."""
    target = io.BytesIO()
    picture.save(target, encoding, **options)
    return target.getvalue()
