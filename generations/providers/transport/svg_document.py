"""The bounds of an SVG document, and its size: a pass over the XML that resolves and expands nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.parsers import expat

MAX_BYTES = 8 * 1024 * 1024  # a photo of 512 pixels that is traced finely takes 4 MB
MAX_DEPTH = 100  # elements within each other
MAX_SIDE = 100_000  # pixels that a document may name as its width or height
DEFAULT_SIZE = (300, 150)  # of a document that names none (CSS 2.1, 10.3.2 and 10.6.2)
NAMESPACE = "http://www.w3.org/2000/svg"
PIXELS = {"": 1, "px": 1, "pt": 4 / 3, "pc": 16, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96}
LENGTH = re.compile(r"\s*\+?(\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})(?:e([+-]?\d{1,2}))?\s*([a-z]{0,2})\s*", re.I)
# The first tag behind a byte order mark and white space, in UTF-8 or UTF-16.
_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*<|(?:\xff\xfe)?(?:\s\0)*<\0|(?:\xfe\xff)?(?:\0\s)*\0<")


class NotSvg(ValueError):
    """The bytes are not an SVG document, or not a complete one."""


class SvgOutOfBounds(ValueError):
    """An SVG document that is too large or too deep, or that declares entities or no namespace."""


@dataclass(frozen=True)
class SvgSize:
    """Width and height of a document in CSS pixels, at least 1."""

    width: int
    height: int


def may_be_svg(data: bytes) -> bool:
    """Whether the bytes begin as XML does, in UTF-8 or UTF-16."""
    return _START.match(data) is not None


def check(data: bytes) -> SvgSize:
    """The size of an SVG document within the bounds. Raises NotSvg, SvgOutOfBounds.

    Of a document that is too large only the beginning is parsed.
    """
    reading = _Reading()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.StartDoctypeDeclHandler = reading.doctype
    parser.EntityDeclHandler = reading.entity
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    try:
        parser.Parse(data[:MAX_BYTES], len(data) <= MAX_BYTES)
    except (expat.ExpatError, ValueError, LookupError) as problem:  # LookupError: an unknown encoding
        if isinstance(problem, (NotSvg, SvgOutOfBounds)):
            raise
        raise NotSvg("not a complete SVG document") from None
    if reading.size is None:
        raise NotSvg("no SVG document")
    if len(data) > MAX_BYTES:
        raise SvgOutOfBounds(f"more than {MAX_BYTES} bytes")
    return reading.size


class _Reading:
    """What the parser has come upon."""

    def __init__(self) -> None:
        self.size: SvgSize | None = None
        self._depth, self._doctype = 0, ""

    def doctype(self, name: str, *_identifiers: object) -> None:
        self._doctype = name

    def entity(self, *_declaration: object) -> None:
        """Stop before anything could be expanded."""
        if self._doctype.rpartition(":")[2] != "svg":
            raise NotSvg("no SVG document")
        raise SvgOutOfBounds("it declares entities")

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if self.size is None:
            namespace, _space, local = name.rpartition(" ")
            if local != "svg" or namespace not in ("", NAMESPACE):
                raise NotSvg("no SVG document")
            if not namespace:
                raise SvgOutOfBounds("the namespace of SVG is missing")
            self.size = _size(attributes)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise SvgOutOfBounds(f"more than {MAX_DEPTH} elements within each other")

    def end(self, _name: str) -> None:
        self._depth -= 1


def _size(attributes: Mapping[str, str]) -> SvgSize:
    """The size by width and height; what is missing follows from the viewBox (SVG 2, 8.2)."""
    width, height = (_pixels(attributes.get(name, "")) for name in ("width", "height"))
    sides = [_pixels(side) for side in re.split(r"[\s,]+", attributes.get("viewBox", "")[:200].strip())]
    across, down = sides[2:] if len(sides) == 4 else (None, None)
    if across and down:
        width = width or (height * across / down if height else across)
        height = height or width * down / across
    return SvgSize(_whole(width or DEFAULT_SIZE[0]), _whole(height or DEFAULT_SIZE[1]))


def _pixels(length: str) -> float | None:
    """A length in CSS pixels; None if it is missing, relative, or nothing."""
    found = LENGTH.fullmatch(length[:64])
    if not found or found[3].lower() not in PIXELS:
        return None
    pixels = float(found[1]) * 10.0 ** int(found[2] or 0) * PIXELS[found[3].lower()]
    return pixels or None


def _whole(side: float) -> int:
    return min(max(math.ceil(side - 0.01), 1), MAX_SIDE)
