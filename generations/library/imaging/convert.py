"""Convert an image to the file of a download: in its own format or another, with or without parameters."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from generations.library.imaging import decode as imaging_decode
from generations.library.imaging import embed_metadata, provenance
from generations.library.imaging import svg as imaging_svg
from generations.library.models import Image, ImageKind
from generations.providers.transport.image_containers import UnknownStructure

DRAWN_SIDE = 2048  # pixels of the longest side of an SVG as PNG
ORIGINAL = "original"  # the image's own format
STORED = "stored"  # the stored bytes unchanged, with the provider's metadata
TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
FORMATS = (ORIGINAL, *TYPES, STORED)
# Qualities at which no difference is seen; JPEG keeps all colors (4:4:4), since drawings have thin lines.
ENCODERS: dict[str, tuple[str, dict[str, Any]]] = {
    "image/png": ("PNG", {"compress_level": 6}),
    "image/jpeg": ("JPEG", {"quality": 93, "subsampling": 0, "optimize": True}),
    "image/webp": ("WEBP", {"quality": 92, "method": 4, "exact": True}),
}


CONVERTED = frozenset(TYPES.values())  # of which there are conversions; all others are handed out as they are


class NotConverted(imaging_decode.Unreadable):
    """The image is only handed out as it is stored: of its type, or since it moves. The text says why."""


class UnknownFormat(ValueError):
    """There is no such output format."""


@dataclass(frozen=True)
class OutputFormat:
    """The format of a download, and whether prompt and parameters are embedded."""

    format: str = ORIGINAL
    with_parameters: bool = True

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> OutputFormat:
        """From the parameters `format` (default: original) and `parameters` (default: 1); UnknownFormat."""
        name, parameters = query.get("format", ORIGINAL), query.get("parameters", "1")
        if name not in FORMATS or parameters not in {"0", "1"}:
            raise UnknownFormat
        return cls(name, parameters == "1")

    def media_type(self, image: Image) -> str:
        """The media type of the file."""
        wanted = TYPES.get(self.format, image.media_type)
        return wanted if image.media_type in CONVERTED or _is_drawn(image, wanted) else image.media_type


def convert(image: Image, data: bytes, output: OutputFormat) -> bytes:
    """The file in the output format; `data` are the stored bytes. Raises Unreadable if it cannot be made.

    SVG, GIF, AVIF and files that are no images stay as they are: NotConverted for another format, and for one
    of an image that moves. SVG is drawn as PNG.

    A file with a C2PA manifest is not changed unless it gets another format, or would tell the parameters.
    A conversion takes up to 500 MB and two seconds, and waits for one of two slots. Raises DecodingBusy.
    """
    media_type = output.media_type(image)
    if output.format == STORED:
        return data
    if _is_drawn(image, media_type):
        data = _drawn(data)
    elif image.media_type not in CONVERTED:
        if output.format in TYPES:
            raise NotConverted(_("A file of this kind is not converted; take the original."))
        return data
    elif media_type != image.media_type:
        data = _reencode(data, media_type)
    if output.with_parameters:
        return embed_metadata.embed(image, data, media_type)
    try:
        return embed_metadata.without_parameters(image, data, media_type)
    except UnknownStructure as error:
        raise imaging_decode.Unreadable(_("The parameters cannot be taken out of this file.")) from error


def sidecar_parameters(image: Image, file: bytes, output: OutputFormat) -> str:
    """The parameters to be put beside a file that is not or must not be changed; "" if they are in it."""
    if not output.with_parameters or output.format == STORED:
        return ""
    if output.media_type(image) not in CONVERTED:
        return embed_metadata.parameters(image) if provenance.digital_source_type(image) else ""
    return embed_metadata.sidecar_parameters(image, file, output.media_type(image))


def _is_drawn(image: Image, media_type: str) -> bool:
    return image.kind == ImageKind.SVG and media_type == "image/png"


def _drawn(data: bytes) -> bytes:
    try:
        cleaned = imaging_svg.sanitize_svg(data)
        with imaging_decode.decode_slot():
            return imaging_svg.draw_svg(cleaned, DRAWN_SIDE)
    except imaging_svg.InvalidSvg as error:
        raise NotConverted(_("This drawing cannot be made into a picture; take the original.")) from error


def _reencode(data: bytes, media_type: str) -> bytes:
    """The image in another format: upright, in sRGB, and for JPEG on white. NotConverted if it moves."""
    encoding, options = ENCODERS[media_type]
    target = io.BytesIO()
    with imaging_decode.open_image(data, is_stored=True) as picture:
        if getattr(picture, "is_animated", False):
            raise NotConverted(
                _("This picture moves; in another format only its first frame is left. Take the original.")
            )
        converted = imaging_decode.to_rgb(imaging_decode.to_srgb(imaging_decode.apply_orientation(picture)))
        if media_type == "image/jpeg":
            converted = imaging_decode.flatten_on_white(converted)
        converted.info.clear()  # encoders would write some of it
        converted.save(target, encoding, **options)
    return target.getvalue()
