"""Uploaded images and masks for requests: decoded within bounds, re-encoded upright and without metadata.

They are stored by hash. An image keeps its transparency; what a model cannot take is changed when it is sent
(`adapted`), not when it is uploaded. A mask is a grey PNG, white where the image shall change.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import IO, Any, TypeVar

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from PIL import Image as Pillow
from PIL import ImageOps

from generations.core import db_connections
from generations.library.imaging import decode as imaging_decode
from generations.library.models import DiscardedObject, Image, Upload
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from generations.providers.catalogue.inputs import Input
from generations.providers.transport import alpha_mask
from generations.teams.models import Membership

Row = TypeVar("Row")

MAX_FILE_SIZE = 10 * 1024 * 1024  # bytes
# The whole request may have 10 MiB: docs/providers/stability.md, "Image input".
MAX_RESULT_SIZE = 9 * 1024 * 1024  # bytes
MIN_SIDE = 32  # pixels; no model takes less, and most need more, which is checked when a model is chosen
REDUCED_SIDE = 64  # pixels; no side is made smaller, since most models need so many
MAX_RESULT_SIDE = 4096  # pixels; providers generate about a megapixel, so more would only take time
MAX_PNG_PIXELS = 4_200_000  # a larger PNG takes seconds to encode; one with transparency must be a PNG
ORIENTATION, TURNED = 0x0112, {5, 6, 7, 8}  # EXIF's orientations that exchange width and height
SHRINK_STEP = 0.75  # the factor by which a result that is too large is scaled, repeatedly


class BadUpload(Exception):
    """The file cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class EncodedImage:
    """An image as it is stored and sent to providers."""

    data: bytes
    media_type: str
    width: int
    height: int
    has_alpha: bool = False
    source_size: tuple[int, int] | None = None  # before it was made smaller

    def row_fields(self, member: Membership) -> dict[str, Any]:
        """The fields that an Upload and an Image of the member's team have in common."""
        sha256 = hashlib.sha256(self.data).hexdigest()
        return {
            "team_id": member.team_id,
            "key": storage_keys.upload_key(team=member.team_id, sha256=sha256, media_type=self.media_type),
            "sha256": sha256,
            "media_type": self.media_type,
            "width": self.width,
            "height": self.height,
            "bytes": len(self.data),
        }


def save_upload(*, member: Membership, file: IO[bytes], name: str) -> Upload:
    """Check a file, re-encode and store it; the same picture of a member is stored once.

    Raises BadUpload with a sentence for the user, StorageUnavailable.
    """
    return _save(member, reencode(read_bounded(file), keeps_alpha=True), name)


def save_mask(
    *,
    member: Membership,
    file: IO[bytes],
    name: str,
    transparent_is_white: bool = False,
    black_is_white: bool = False,
) -> Upload:
    """Check a mask and store it as a grey PNG; white is what shall change.

    With `transparent_is_white` its transparency is the mask, as in OpenAI's format; else what is transparent
    is black. With `black_is_white` the mask is inverted. Raises what `save_upload` raises.
    """
    data = read_bounded(file)
    db_connections.release_connections()
    try:
        with imaging_decode.open_image(data) as picture:
            grey = _as_mask(picture, transparent_is_white=transparent_is_white)
            grey = ImageOps.invert(grey) if black_is_white else grey
    except imaging_decode.Unreadable as error:
        raise BadUpload(*error.args) from error
    size = _scaled(grey.size, MAX_RESULT_SIDE / max(grey.size))
    encoded = _mask_file(grey, size)
    return _save(member, replace(encoded, source_size=grey.size), name)


def adapted(*, member: Membership, upload: Upload, declared: Input, size: tuple[int, int]) -> Upload:
    """Return the upload as a model takes it: of this size and its formats, opaque unless it reads alpha.

    It is the same upload if nothing must be changed. Raises BadUpload, ObjectMissing, StorageUnavailable,
    DecodingBusy.
    """
    is_kept = declared.is_mask or declared.keeps_alpha or not upload.has_alpha
    is_taken = upload.media_type in declared.media_types and upload.bytes <= declared.max_bytes
    if is_kept and is_taken and size == upload.size:
        return upload
    data = storage_client.read(upload.key)
    if declared.is_mask:
        with imaging_decode.open_image(data, is_stored=True) as picture:
            encoded = _mask_file(_as_mask(picture), size)
        if len(encoded.data) > declared.max_bytes:
            raise BadUpload(_("This mask is too large a file: use black and white without shades."))
    else:
        encoded = reencode(
            data,
            is_stored=True,
            size=size,
            keeps_alpha=declared.keeps_alpha,
            max_bytes=min(declared.max_bytes, MAX_RESULT_SIZE),
        )
    return _save(member, encoded, upload.name)


def _as_mask(picture: Pillow.Image, *, transparent_is_white: bool = False) -> Pillow.Image:
    """The picture in 8-bit grey, upright; PNG's 16 bits are rounded. Raises imaging_decode.Unreadable."""
    if picture.format == "JPEG":
        raise imaging_decode.Unreadable(_("A mask must be a PNG: a JPEG blurs its edges."))
    upright = imaging_decode.apply_orientation(imaging_decode.resizable(picture))
    alpha = upright.getchannel("A") if upright.mode in ("LA", "RGBA") else None
    if transparent_is_white:
        if alpha is None:
            text = _("This mask has no transparent part: make transparent what shall change.")
            raise imaging_decode.Unreadable(text)
        return alpha_mask.white_where_transparent(alpha)
    grey = upright.convert("L")
    if alpha is None:
        return grey
    black = Pillow.new("L", upright.size, 0)
    black.paste(grey, mask=alpha)
    return black


def _mask_file(grey: Pillow.Image, size: tuple[int, int]) -> EncodedImage:
    # Bilinear moves an edge least: from 1,000 pixels to 512 and back 7 are wrong, by nearest 1,606.
    box = _middle(grey.size, size)
    resized = grey if grey.size == size else grey.resize(size, Pillow.Resampling.BILINEAR, box=box)
    resized.info.clear()
    return EncodedImage(_file_of(resized, "PNG", compress_level=4), "image/png", *size)


def _save(member: Membership, encoded: EncodedImage, name: str) -> Upload:
    fields = encoded.row_fields(member) | {"name": printable(name)[:200], "has_alpha": encoded.has_alpha}
    fields["source_width"], fields["source_height"] = encoded.source_size or (encoded.width, encoded.height)
    sha256 = fields.pop("sha256")

    def add_row() -> Upload:
        return Upload.objects.get_or_create(owner=member, sha256=sha256, defaults=fields)[0]

    return store(fields["key"], encoded, add_row)


def store(key: str, encoded: EncodedImage, add_row: Callable[[], Row]) -> Row:
    """Store an object and add its row, safely against a concurrent removal of the same object.

    Raises StorageUnavailable.
    """
    storage_client.put(key, encoded.data, media_type=encoded.media_type)
    with transaction.atomic():
        row = add_row()
        # A removal of this object holds a lock on this line until it is done, and sees our row afterwards.
        DiscardedObject.objects.filter(key=key).delete()
    if not storage_client.exists(key):
        storage_client.put(key, encoded.data, media_type=encoded.media_type)
    return row


def from_image(*, member: Membership, image: Image) -> Upload:
    """Copy an image of the library to a start image of the member. Raises BadUpload, StorageUnavailable."""
    name = f"{image.pk}.{storage_keys.EXTENSIONS.get(image.media_type, 'bin')}"
    return _save(member, reencode(storage_client.read(image.key), is_stored=True, keeps_alpha=True), name)


def check_size(size: int) -> None:
    """Raise BadUpload for a file of more than 10 MiB; `size` in bytes."""
    if size > MAX_FILE_SIZE:
        raise BadUpload(_("This file is larger than 10 MB. Save the picture smaller, or as a JPEG."))


def read_bounded(file: IO[bytes]) -> bytes:
    """The bytes of a file. Raises BadUpload if it is empty or too large."""
    check_size(getattr(file, "size", None) or 0)
    data = file.read(MAX_FILE_SIZE + 1)
    check_size(len(data))
    if not data:
        raise BadUpload(_("This file is empty."))
    return data


def reencode(
    data: bytes,
    *,
    is_stored: bool = False,
    keeps_alpha: bool = False,
    size: tuple[int, int] | None = None,
    max_bytes: int = MAX_RESULT_SIZE,
) -> EncodedImage:
    """The image's pixels, encoded again without metadata and within the providers' limits; BadUpload.

    `is_stored` is for images of the library, which may have more pixels than uploads. `size` is that of the
    result, None for the image's own if it is not too large; of another ratio, the middle of the image is
    taken. Without `keeps_alpha` it becomes opaque on white.
    """
    db_connections.release_connections()  # not held while this waits for its turn to decode
    try:
        with imaging_decode.open_image(data, is_stored=is_stored) as picture:
            _check_sides(picture)
            is_lossless = picture.format == "PNG"
            source_size = upright_size(picture)
            prepared = _prepare(picture, size=size, keeps_alpha=keeps_alpha)
            encoded = _encode(prepared, is_lossless=is_lossless, max_bytes=max_bytes)
            return replace(encoded, source_size=source_size)
    except imaging_decode.Unreadable as error:
        raise BadUpload(*error.args) from error


def printable(name: str) -> str:
    """A file name without unprintable characters."""
    return "".join(letter for letter in name if letter.isprintable())


def _check_sides(picture: Pillow.Image) -> None:
    """Raise Unreadable for an image that is smaller than providers accept."""
    if min(picture.size) < MIN_SIDE:
        raise imaging_decode.Unreadable(_("This picture is too small: both sides need at least 32 pixels."))


def upright_size(picture: Pillow.Image) -> tuple[int, int]:
    """Width and height once the picture is turned as its EXIF orientation says."""
    turned = picture.getexif().get(ORIENTATION) in TURNED
    return (picture.height, picture.width) if turned else picture.size


def _prepare(picture: Pillow.Image, *, size: tuple[int, int] | None, keeps_alpha: bool) -> Pillow.Image:
    """The first frame: reduced to the size, upright, in sRGB, and opaque on white unless alpha is kept."""
    if size is None:
        size = _scaled(picture.size, MAX_RESULT_SIDE / max(picture.size))
    elif upright_size(picture) != picture.size:
        size = size[1], size[0]
    picture.draft("RGB", size)  # a JPEG is decoded at a smaller size
    if picture.size != size:
        picture = imaging_decode.resizable(picture)
        box = _middle(picture.size, size)
        picture = picture.resize(size, Pillow.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    upright = imaging_decode.apply_orientation(picture)
    colored = imaging_decode.to_rgb(imaging_decode.to_srgb(upright))
    if not keeps_alpha or not _is_transparent(colored):
        colored = imaging_decode.flatten_on_white(colored)
    colored.info.clear()  # encoders would write some of it
    return colored


def _is_transparent(picture: Pillow.Image) -> bool:
    return picture.mode == "RGBA" and picture.getchannel("A").getextrema()[0] != 255


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """The size scaled down, but no side below REDUCED_SIDE."""
    scale = min(1.0, max(scale, REDUCED_SIDE / min(size)))
    return round(size[0] * scale), round(size[1] * scale)


def _middle(size: tuple[int, int], of: tuple[int, int]) -> tuple[float, float, float, float] | None:
    """The middle part of a size that has the ratio of another one; None where they differ by rounding."""
    width, height = size
    scale = min(width / of[0], height / of[1])
    left, top = (width - scale * of[0]) / 2, (height - scale * of[1]) / 2
    return (left, top, width - left, height - top) if max(left, top) > scale else None


def _encode(picture: Pillow.Image, *, is_lossless: bool, max_bytes: int) -> EncodedImage:
    """PNG if the source was one and the result is small enough, else JPEG, scaled down until it fits."""
    if picture.mode == "RGBA":
        return _encode_transparent(picture, max_bytes)
    if is_lossless and picture.width * picture.height <= MAX_PNG_PIXELS:
        data = _file_of(picture, "PNG", compress_level=4)
        if len(data) <= max_bytes:
            return EncodedImage(data, "image/png", *picture.size)
    while len(data := _file_of(picture, "JPEG", quality=92)) > max_bytes:
        picture = picture.resize(_scaled(picture.size, SHRINK_STEP), Pillow.Resampling.LANCZOS)
    return EncodedImage(data, "image/jpeg", *picture.size)


def _encode_transparent(picture: Pillow.Image, max_bytes: int) -> EncodedImage:
    """PNG, scaled down until it fits: JPEG has no transparency."""
    if picture.width * picture.height > MAX_PNG_PIXELS:
        scale = math.sqrt(MAX_PNG_PIXELS / (picture.width * picture.height))
        picture = picture.resize(_scaled(picture.size, scale), Pillow.Resampling.LANCZOS)
    while len(data := _file_of(picture, "PNG", compress_level=4)) > max_bytes:
        picture = picture.resize(_scaled(picture.size, SHRINK_STEP), Pillow.Resampling.LANCZOS)
    return EncodedImage(data, "image/png", *picture.size, has_alpha=True)


def _file_of(picture: Pillow.Image, encoding: str, **options: int) -> bytes:
    target = io.BytesIO()
    picture.save(target, encoding, **options)
    return target.getvalue()
