"""The images of an edit: files of a form, or data: addresses of a JSON object.

Source: docs/providers/openai.md, "Edits".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageOps

from generations.core import multipart
from generations.core.multipart import Part
from generations.sandbox.image_decoding import decode, open_image
from generations.sandbox.image_encoding import encode
from generations.sandbox.openai_errors import InvalidImage, RequestError, invalid_value, missing_field

MAX_BODY = 112 * 1024 * 1024
MAX_PARTS = 64
MAX_IMAGES = 16
MAX_MASK = 4 * 1024 * 1024
MAX_PIXELS = 64_000_000
DATA_URL = re.compile(r"data:image/[a-z]{1,9};base64,")


@dataclass
class Sent:
    """What came with a call: its fields, its images in order, and its mask."""

    fields: dict[str, Any] = field(default_factory=dict)
    images: list[bytes] = field(default_factory=list)
    mask: bytes = b""


def read_form(content_type: str, body: bytes) -> Sent:
    """Return the parts of a form; RequestError if it is none."""
    try:
        parts = multipart.parse(content_type, body, max_size=MAX_BODY, max_parts=MAX_PARTS)
    except multipart.MalformedForm as problem:
        raise RequestError(f"Could not parse multipart form: {problem}") from problem
    if parts is None:
        raise RequestError("Invalid Content-Type header, expected multipart/form-data or application/json.")
    sent = Sent()
    for part in parts:
        _add(sent, part)
    return sent


def read_object(values: Mapping[str, Any]) -> Sent:
    """Return the fields and data: addresses of a JSON object."""
    links = values.get("images")
    if not isinstance(links, list):
        raise missing_field("images")
    mask = values.get("mask")
    fields = {name: value for name, value in values.items() if name not in ("images", "mask")}
    return Sent(fields, [_linked(link, "images") for link in links], _linked(mask, "mask") if mask else b"")


def checked(sent: Sent) -> dict[str, bytes]:
    """Return the images by `image`, `image-2` and so on, and the mask as other drawings take it: white.

    RequestError for what the maker does not take.
    """
    if not sent.images:
        raise missing_field("image")
    if len(sent.images) > MAX_IMAGES:
        raise invalid_value("image", f"Invalid 'image': at most {MAX_IMAGES} images.")
    for data in sent.images:
        _open(data, "image")
    names = ["image", *(f"image-{number}" for number in range(2, len(sent.images) + 1))]
    files = dict(zip(names, sent.images, strict=True))
    if sent.mask:
        files["mask"] = _white_mask(sent.mask, _open(sent.images[0], "image").size)
    return files


def _add(sent: Sent, part: Part) -> None:
    if part.name in ("image", "image[]"):
        sent.images.append(part.data)
    elif part.name == "mask":
        sent.mask = part.data
    else:
        sent.fields[part.name] = part.data.decode(errors="replace")


def _linked(link: Any, name: str) -> bytes:
    url = link.get("image_url") if isinstance(link, Mapping) else None
    found = DATA_URL.match(url) if isinstance(url, str) else None
    if found is None:
        raise invalid_value(name, f"Invalid '{name}': the sandbox fetches nothing; send a data: URL.")
    try:
        return base64.b64decode(str(url)[found.end() :], validate=True)
    except ValueError:
        raise InvalidImage(name) from None


def _open(data: bytes, name: str) -> Image.Image:
    try:
        image = open_image(data)
        if image.width * image.height <= MAX_PIXELS:
            return image
    except ValueError:
        pass
    raise InvalidImage(name)


def _white_mask(data: bytes, size: tuple[int, int]) -> bytes:
    mask = _open(data, "mask")
    if len(data) >= MAX_MASK or mask.format != "PNG" or "A" not in mask.getbands():
        raise InvalidImage("mask")
    if mask.size != size:
        raise invalid_value("mask", f"Invalid mask: its size {mask.size} is not that of the image, {size}.")
    alpha = decode(data, "RGBA").getchannel("A")
    return encode(ImageOps.invert(alpha).convert("RGB"), "png")
