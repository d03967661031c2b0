"""A picture as the file that somebody asks for: in its own format or another, with or without parameters."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from generations.library.imaging import containers, embed_metadata, strip_metadata
from generations.library.imaging import decode as imaging_decode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generations.library.models import Image

ORIGINAL = "original"  # the format in which it came
STORED = "stored"  # byte for byte as it came, with what the provider wrote into it
TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
FORMATS = (ORIGINAL, *TYPES, STORED)
# Nobody sees the difference at these; JPEG keeps every color, since drawings have thin ones.
ENCODERS: dict[str, tuple[str, dict[str, Any]]] = {
    "image/png": ("PNG", {"compress_level": 6}),
    "image/jpeg": ("JPEG", {"quality": 93, "subsampling": 0, "optimize": True}),
    "image/webp": ("WEBP", {"quality": 92, "method": 4, "exact": True}),
}


class UnknownFormat(ValueError):
    """There is no such kind of file."""


@dataclass(frozen=True)
class Form:
    """What file somebody asks for."""

    format: str = ORIGINAL
    with_parameters: bool = True

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Form:
        """From an address or a form, without a word the original with parameters; UnknownFormat."""
        wanted, told = query.get("format", ORIGINAL), query.get("parameters", "1")
        if wanted not in FORMATS or told not in {"0", "1"}:
            raise UnknownFormat
        return cls(wanted, told == "1")

    def media_type(self, image: Image) -> str:
        """What the file will be."""
        return TYPES.get(self.format, image.media_type)


def made(image: Image, data: bytes, form: Form) -> bytes:
    """The file, from the stored bytes of an image. Unreadable if it cannot be made.

    It takes up to 300 MB and a second while it is converted, and waits until that is free.
    """
    media_type = form.media_type(image)
    if form.format == STORED:
        return data
    if media_type != image.media_type:
        data = _converted(data, media_type)
    if form.with_parameters:
        return embed_metadata.embed(image, data, media_type)
    try:
        return strip_metadata.bare(data, media_type)
    except containers.UnknownStructure as problem:
        raise imaging_decode.Unreadable(_("The parameters cannot be taken out of this file.")) from problem


def _converted(data: bytes, media_type: str) -> bytes:
    """The picture's first frame in another format: upright, in sRGB, and in a JPEG on white."""
    encoding, options = ENCODERS[media_type]
    target = io.BytesIO()
    with imaging_decode.opened(data) as picture:
        colored = imaging_decode.in_eight_bits(imaging_decode.in_srgb(imaging_decode.upright(picture)))
        if media_type == "image/jpeg":
            colored = imaging_decode.on_white(colored)
        colored.info.clear()  # an encoder would write some of it
        colored.save(target, encoding, **options)
    return target.getvalue()
