"""Check received bytes: images that are complete and of a known size, SVG, and files of a known type."""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import dataclass
from typing import Any, Literal

# Imported so that Pillow does not load all its other plug-ins when it opens an image.
from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from generations.providers.base import Output, OutputKind
from generations.providers.transport import image_containers, svg_document

MEDIA_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "AVIF": "image/avif",
}
SVG = "image/svg+xml"
MAX_PIXELS = 64_000_000
PLUGINS = (PngImagePlugin, JpegImagePlugin, WebPImagePlugin, GifImagePlugin, AvifImagePlugin)
FORMATS = ("PNG", "JPEG", "WEBP")  # what every provider may send as an image
DECODED = (*FORMATS, "GIF", "AVIF")
# Types by the first bytes; a row of the library has room for 20 characters.
IMAGE_SIGNATURES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"....ftyp(?:avi[fs]|.{8}(?:.{4}){0,12}?avi[fs])", re.DOTALL), "image/avif"),  # any brand
)
FILE_SIGNATURES = (
    (re.compile(rb"II(?:\*\0|\+\0\x08\0)|MM(?:\0\*|\0\+\0\x08)"), "image/tiff"),
    (re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL), "image/bmp"),
    (re.compile(rb"....ftyp(?:hei[cmsx]|hev[cmsx]|mif1|msf1)", re.DOTALL), "image/heic"),
    (re.compile(rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n"), "image/jxl"),
    (re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n"), "image/jp2"),
    (re.compile(rb"\x76\x2f\x31\x01"), "image/x-exr"),
    (re.compile(rb"8BPS\0[\x01\x02]"), "image/x-psd"),
    (re.compile(rb"%PDF-\d"), "application/pdf"),
    (re.compile(rb"....ftypqt  ", re.DOTALL), "video/quicktime"),
    (re.compile(rb"....ftyp[ -~]{4}", re.DOTALL), "video/mp4"),
    (re.compile(rb"\x1a\x45\xdf\xa3"), "video/webm"),
    (re.compile(rb"glTF[\x01\x02]\0\0\0"), "model/gltf-binary"),
    (re.compile(rb"PK\x03\x04"), "application/zip"),
    (re.compile(rb"\x1f\x8b\x08"), "application/gzip"),
)
# What the sender may name, where the bytes say nothing; a type that its bytes would tell is not among them.
SENT_TYPE = re.compile(r"(?:image|video|audio|model|font)/[a-z0-9][a-z0-9.+-]{0,60}")
TOLD_TYPES = frozenset({SVG, *(name for _, name in IMAGE_SIGNATURES + FILE_SIGNATURES)})


class InvalidImage(ValueError):
    """The bytes are no image or not a complete one."""


class TooManyPixels(InvalidImage):
    """The image has more pixels than are decoded here; nothing is known of its completeness."""


@dataclass(frozen=True)
class Media:
    """What received bytes are: an image that can be decoded, an SVG document, or a file to be kept.

    `width` and `height` are in pixels, 0 of a file. A PNG, WebP, GIF or AVIF that moves is animated.
    """

    kind: Literal["image", "svg", "file"]
    media_type: str
    width: int = 0
    height: int = 0
    is_animated: bool = False


def identify(data: bytes, sent_type: str = "") -> Media:
    """What the bytes are, by themselves; InvalidImage for text, and for incomplete images.

    An image with too many pixels and an SVG document out of bounds are files: they were paid for, and are
    neither decoded nor shown. Of a file only the first bytes are looked at. `sent_type` is the sender's
    Content-Type: bytes that say nothing are a file of that type, if it is one that they could be.
    """
    if svg_document.may_be_svg(data):
        return _svg(data)
    image_type = _by_signature(data, IMAGE_SIGNATURES)
    if not image_type:
        file_type = _by_signature(data, FILE_SIGNATURES) or _by_sender(data, sent_type)
        if not file_type:
            raise InvalidImage("no type of file that is known here")
        return Media("file", file_type)
    try:
        return _image(data, image_type)
    except TooManyPixels:
        return Media("file", image_type)


def output_of(data: bytes, seed: int | None = None, sent_type: str = "") -> Output:
    """The received bytes as an output, whatever they are: they were paid for. InvalidImage as `identify`."""
    media = identify(data, sent_type)
    return Output(
        data,
        media.media_type,
        media.width,
        media.height,
        seed,
        OutputKind(media.kind),
        is_animated=media.is_animated,
    )


def moving_format(data: bytes) -> Literal["GIF", "AVIF"] | None:
    """Pillow's name of the format, if the first bytes are of a GIF or an AVIF."""
    formats: dict[str, Literal["GIF", "AVIF"]] = {"image/gif": "GIF", "image/avif": "AVIF"}
    return formats.get(_by_signature(data, IMAGE_SIGNATURES))


def _by_signature(data: bytes, signatures: tuple[tuple[re.Pattern[bytes], str], ...]) -> str:
    return next((media_type for pattern, media_type in signatures if pattern.match(data)), "")


def _by_sender(data: bytes, sent_type: str) -> str:
    media_type = sent_type.partition(";")[0].strip().lower()
    if not data or media_type in TOLD_TYPES or not SENT_TYPE.fullmatch(media_type):
        return ""
    return "" if _is_text(data) else media_type


def _is_text(data: bytes) -> bool:
    try:
        return "\0" not in data.decode()
    except UnicodeDecodeError:
        return False


def _svg(data: bytes) -> Media:
    try:
        size = svg_document.check(data)
    except svg_document.NotSvg as problem:
        raise InvalidImage(str(problem)) from None
    except svg_document.SvgOutOfBounds:
        return Media("file", SVG)
    return Media("svg", SVG, size.width, size.height)


def _image(data: bytes, media_type: str) -> Media:
    image = validate_image(data, formats=DECODED)
    return Media("image", media_type, image.width, image.height, image.is_animated)


def is_animated_image(data: bytes) -> bool:
    """Whether a complete PNG, WebP, GIF or AVIF has several frames; its header is read, no pixel decoded."""
    try:
        return _is_animated(data)
    except Exception:  # as in `validate_image`; to look for what is in the way first would copy each image
        return _is_animated(image_containers.decodable(data))


def _is_animated(data: bytes) -> bool:
    with Image.open(io.BytesIO(data), formats=DECODED) as image:
        return bool(getattr(image, "is_animated", False))


def validate_image(data: bytes, seed: int | None = None, *, formats: tuple[str, ...] = FORMATS) -> Output:
    """Return the image with its type and size; InvalidImage if it is not complete.

    It is kept as it came, also where the decoder only takes it without what no viewer needs.
    """
    try:
        return _validate(data, data, seed, formats)
    except InvalidImage:
        raise
    except Exception:  # a decoder may raise anything on foreign bytes
        decodable = image_containers.decodable(data)
    try:
        return _validate(data, decodable, seed, formats)
    except InvalidImage:
        raise
    except Exception as problem:
        name = type(problem).__name__
    raise InvalidImage(f"not a complete image ({name})")


def _validate(data: bytes, decodable: bytes, seed: int | None, formats: tuple[str, ...]) -> Output:
    try:
        image: Any = Image.open(io.BytesIO(decodable), formats=formats)
    except Image.DecompressionBombError:
        raise TooManyPixels("the pixels are too many") from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise TooManyPixels(f"{width} x {height} pixels are too many")
    media_type = MEDIA_TYPES[image.format]
    _check_complete(image, decodable)
    is_animated = media_type != "image/jpeg" and bool(getattr(image, "is_animated", False))
    return Output(data, media_type, width, height, seed, is_animated=is_animated)


def _check_complete(image: Any, data: bytes) -> None:
    """Raise if the image is truncated or broken.

    For 1.3 MB of PNG a full decode takes 41 ms of CPU. Its checksums, over every byte up to the end chunk,
    take 0.8 ms and prove that the file is as the provider wrote it; the start of the pixel data is
    decompressed too. JPEG has no checksums and is decoded at an eighth of its size (4 ms), WebP and AVIF in
    full (14 ms), of a GIF the first frame; its blocks say whether the others are there.
    """
    if image.format == "PNG":
        start = image.tile[0][2]
        zlib.decompressobj().decompress(data[start : start + 1024], 4096)
        image.verify()
        return
    if image.format == "GIF":
        image_containers.gif_frames(data)
    if image.format in ("JPEG", "MPO"):
        image.draft("L", (max(1, image.width // 8), max(1, image.height // 8)))
    image.load()
