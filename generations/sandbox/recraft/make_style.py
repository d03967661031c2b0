"""`POST /v1/styles`: a style out of pictures.

Sources: docs/providers/recraft.md, "Addresses" and "Styles".
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from PIL import Image

from generations.sandbox import generate as sandbox_generate
from generations.sandbox.generate import Drawn
from generations.sandbox.image_decoding import open_image
from generations.sandbox.image_request import ImageRequest
from generations.sandbox.recraft import styles
from generations.sandbox.recraft.styles import Style
from generations.sandbox.recraft.validate import HUNDREDTHS, Received
from generations.sandbox.request_log import LogEntry
from generations.sandbox.responses import Response, as_json, bad_request, moderated
from generations.sandbox.state import Request, Sandbox

FIELDS = frozenset({"style", "model", "image_urls", "prompt", "match", "private"})
FILES = re.compile(r"file([1-9]|10)")  # of the API of 2024, which gateways sell
DATA_URL = re.compile(r"data:image/(png|jpeg|webp);base64,([A-Za-z0-9+/]+={0,2})", re.ASCII)
UNITS = 40
MAX_PICTURES, MAX_BYTES = 5, 5_000_000  # all together
MAX_V4_PICTURES, MAX_V4_BYTES = 10, 10_000_000
SMALLEST_SIDE = 256


async def respond(sandbox: Sandbox, request: Request, entry: LogEntry, received: Received) -> Response:
    """Respond with the id of a new style."""

    def answer(drawn: Drawn) -> Response:
        if drawn.filtered:
            raise moderated()
        with Image.open(io.BytesIO(drawn.images[0])) as swatch:
            red, green, blue = swatch.convert("RGB").getpixel((0, 0))  # type: ignore[misc]  # of RGB: three
        style = Style(str(_kind(received.values)), (red, green, blue))
        return as_json(
            {
                "id": styles.new_id(style, request.key),
                "style": style.base,
                "creation_time": datetime.now(UTC).isoformat(timespec="seconds"),
                "is_private": True,
                "credits": UNITS,
            }
        )

    return await sandbox_generate.run(
        sandbox,
        request,
        entry,
        prompt=str(received.values.get("prompt", "")),
        validate=lambda: _validated(received, strict=sandbox.options.strict),
        respond=answer,
    )


def _validated(received: Received, *, strict: bool) -> ImageRequest:
    """The request of a valid call, which draws the mean colour of its pictures; ApiError (400) otherwise."""
    values, files = received.values, received.files
    unknown = [*(values.keys() - FIELDS), *(name for name in files if not FILES.fullmatch(name))]
    errors = [f"{name}: is not a field of this call" for name in unknown if strict]
    if _kind(values) not in styles.KINDS:
        errors.append("style: is invalid")
    is_v4 = _kind(values) in styles.V4_MODELS
    most, most_bytes = (MAX_V4_PICTURES, MAX_V4_BYTES) if is_v4 else (MAX_PICTURES, MAX_BYTES)
    pictures = dict(files) | _from_urls(values.get("image_urls", []))
    if not 1 <= len(pictures) <= most:
        errors.append(f"images: from 1 to {most}")
    if sum(map(len, pictures.values())) > most_bytes:
        errors.append(f"images: at most {most_bytes} bytes in all")
    errors += _size_errors(pictures)
    if errors:
        raise bad_request(*errors)
    return ImageRequest(
        model="style",
        prompt=str(values.get("prompt", "")),
        seed=1,
        cost=UNITS * HUNDREDTHS,
        draw=styles.swatch,
        any_language=True,
        files=pictures,
    )


def _kind(values: Mapping[str, Any]) -> object:
    """The base style; of a style for V4 the model, which has none."""
    return values.get("style", values.get("model"))


def _from_urls(urls: object) -> dict[str, bytes]:
    """The pictures of data URLs; ApiError (400) for an address, which the sandbox does not fetch."""
    if not isinstance(urls, list):
        raise bad_request("image_urls: must be a list")
    found = [DATA_URL.fullmatch(str(url)) for url in urls]
    if None in found:
        raise bad_request("image_urls: must be data URLs of png, jpeg or webp")
    return {f"image{place}": base64.b64decode(match[2]) for place, match in enumerate(found) if match}


def _size_errors(pictures: Mapping[str, bytes]) -> list[str]:
    try:
        sizes = [open_image(data).size for data in pictures.values()]
    except ValueError as problem:
        return [f"images: {problem}"]
    is_small = any(min(size) < SMALLEST_SIDE for size in sizes)
    return [f"images: each side must be at least {SMALLEST_SIDE}"] if is_small else []
