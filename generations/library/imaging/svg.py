"""SVG of strangers: a form without anything that acts or loads, and its drawing as PNG.

svg-hush removes scripts, handlers and foreign elements. It leaves animations, and addresses of other hosts
without their host, so a second pass over its output removes these.
"""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import py_svg_hush

from generations.providers.transport import svg_document

MAX_SIDE = 4_096  # pixels of a drawing
MEMORY = 768 * 1024 * 1024  # bytes of address space; 8 MB of paths take 150 MB
CPU_SECONDS, SECONDS = 8, 15  # 8 MB of paths take a second
EMBEDDED = {"image": ["png", "jpeg", "webp", "gif"]}
DROPPED = {
    *("script", "foreignObject", "iframe", "handler", "listener"),
    *("animate", "animateColor", "animateMotion", "animateTransform", "set", "discard"),
}
XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
EMBEDDED_URL = re.compile(r"\s*data:image/(?:png|jpeg|webp|gif);base64,[\w+/=\s]*", re.ASCII)
FOREIGN_URL = re.compile(r"""url\(\s*(?!["']?#)[^)]*\)?""", re.IGNORECASE)
# What loads something without url(), addresses, and escapes, in which any of it could be written.
LOADS = re.compile(
    r"@import|//|\\|(?<![\w-])(?:[\w-]*image-set|image|cross-fade|src|element|expression)\s*\(", re.IGNORECASE
)
_PROCESS = Path(__file__).with_name("svg_process.py")

log = logging.getLogger(__name__)

ElementTree.register_namespace("", svg_document.NAMESPACE)


class InvalidSvg(ValueError):
    """The document is not SVG, is out of bounds, or cannot be drawn within limits."""


def sanitize_svg(data: bytes) -> bytes:
    """The document without scripts, animations, and references to anything outside itself. Raises InvalidSvg.

    Gradients, masks, style sheets and embedded PNG, JPEG, WebP and GIF remain. Up to 8 MB, 100 elements deep;
    4 MB take 0.8 s of CPU.
    """
    _check(data)
    try:
        root = ElementTree.fromstring(py_svg_hush.filter_svg(data, EMBEDDED))  # noqa: S314 - has no DTD any more
    except (ValueError, ElementTree.ParseError) as problem:
        raise InvalidSvg(str(problem)) from None
    _clean(root)
    cleaned: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return cleaned


def draw_svg(data: bytes, longest_side: int) -> bytes:
    """A sanitised document as PNG with transparency, `longest_side` pixels wide or high; at most 4,096.

    A process of its own draws it, and is ended if it takes too much time or memory. Raises InvalidSvg.
    """
    size = _check(data)
    scale = min(longest_side, MAX_SIDE) / max(size.width, size.height)
    width, height = (max(1, round(side * scale)) for side in (size.width, size.height))
    with tempfile.TemporaryDirectory(prefix="sdweb-svg-") as empty:
        limits = (width, height, empty, MEMORY, CPU_SECONDS)
        try:
            done = subprocess.run(
                [sys.executable, "-I", str(_PROCESS), *map(str, limits)],
                input=data,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS,
                cwd=empty,
                env={},  # no secrets of the settings
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise InvalidSvg("drawing it takes too long") from None
    if done.returncode:
        log.info("An SVG of %d bytes could not be drawn (exit code %d)", len(data), done.returncode)
        raise InvalidSvg("it cannot be drawn")
    return done.stdout


def texts(data: bytes) -> str:
    """The words that a document draws as text; "" if there are none, or it is out of bounds."""
    try:
        root = ElementTree.fromstring(sanitize_svg(data))  # noqa: S314 - has no DTD any more
    except InvalidSvg:
        return ""
    drawn = root.iter(f"{{{svg_document.NAMESPACE}}}text")
    return " ".join(" ".join("".join(element.itertext()).split()) for element in drawn).strip()


def _check(data: bytes) -> svg_document.SvgSize:
    try:
        return svg_document.check(data)
    except (svg_document.NotSvg, svg_document.SvgOutOfBounds) as problem:
        raise InvalidSvg(str(problem)) from None


def _clean(element: ElementTree.Element) -> None:
    """Remove what acts or loads from an element and everything in it; at most 100 are within each other."""
    for name, value in list(element.attrib.items()):
        if (kept := _cleaned_attribute(name, value)) is None:
            del element.attrib[name]
        else:
            element.attrib[name] = kept
    before: ElementTree.Element | None = None
    for child in list(element):
        local = child.tag.rpartition("}")[2]
        if local in DROPPED or (local == "style" and not _clean_style_sheet(child)):
            _keep_text_behind(element, before, child)
            element.remove(child)
        else:
            _clean(child)
            before = child


def _cleaned_attribute(name: str, value: str) -> str | None:
    """The value without foreign addresses; None if the attribute has to go."""
    local = name.rpartition("}")[2].lower()
    if local.startswith("on") or name == XML_BASE:
        return None
    if local in {"href", "src"}:
        return value if value.lstrip().startswith("#") or EMBEDDED_URL.fullmatch(value) else None
    value = FOREIGN_URL.sub("none", value)
    return None if LOADS.search(value) else value


def _clean_style_sheet(style: ElementTree.Element) -> bool:
    """Remove foreign addresses from a style sheet; False if it has to go."""
    style.text = FOREIGN_URL.sub("none", "".join(style.itertext()))
    for child in list(style):
        style.remove(child)
    return not LOADS.search(style.text)


def _keep_text_behind(
    parent: ElementTree.Element, before: ElementTree.Element | None, removed: ElementTree.Element
) -> None:
    """Text behind an element belongs to it in ElementTree, but not in the document."""
    if before is None:
        parent.text = (parent.text or "") + (removed.tail or "")
    else:
        before.tail = (before.tail or "") + (removed.tail or "")
