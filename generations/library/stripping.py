"""Taking out of a file all that is not needed to show its picture. What is kept is kept byte for byte.

What is unknown goes: prompts travel in text, EXIF and XMP, and in parts that are still to be invented.
"""

from __future__ import annotations

import re
import struct

from .splicing import HAS_EXIF, HAS_XMP, UnknownStructure, png_chunks, webp_chunk, webp_chunks

# Critical chunks, transparency, colour, density, animation (PNG specification, third edition, 11).
PNG_KEPT = frozenset(
    b"IHDR PLTE IDAT IEND tRNS cHRM cICP gAMA iCCP sBIT sRGB mDCV cLLI bKGD hIST pHYs acTL fcTL fdAT".split()
)
WEBP_KEPT = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})  # RFC 9649, 2.7
# Application segments that say how to read the colours: JFIF, an ICC profile, Adobe's transform.
JPEG_KEPT = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
JPEG_END, JPEG_SCAN = 0xD9, 0xDA
# Within a scan FF stands before 00 or a restart; anything else ends it (ITU-T T.81, B.1.1.5).
AFTER_SCAN = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")


def bare(data: bytes, media_type: str) -> bytes:
    """The file without a word in it. Raises UnknownStructure rather than hand out what was not understood."""
    strip = {"image/png": png, "image/jpeg": jpeg, "image/webp": webp}.get(media_type)
    if strip is None:
        raise UnknownStructure
    return strip(data)


def png(data: bytes) -> bytes:
    """The PNG up to its end, with the chunks that draw it."""
    parts = [data[:8]]
    for kind, _body, whole in png_chunks(data):
        if kind in PNG_KEPT:
            parts.append(whole)
        if kind == b"IEND":
            return b"".join(parts)
    raise UnknownStructure


def jpeg(data: bytes) -> bytes:
    """The JPEG up to its end, with the segments that draw it."""
    parts, at = [data[:2]], 2
    while at + 2 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == JPEG_END:
            return b"".join([*parts, data[at : at + 2]])
        if marker == 0xFF:  # a filling byte
            at += 1
            continue
        end = _segment_end(data, at)
        if _draws(marker, data[at + 4 : end]):
            parts.append(data[at:end])
        at = end
        if marker == JPEG_SCAN:
            at = _scan_end(data, end)
            parts.append(data[end:at])
    raise UnknownStructure


def _segment_end(data: bytes, at: int) -> int:
    """Where a segment ends that begins there."""
    if at + 4 > len(data) or data[at + 1] < 0xC0:
        raise UnknownStructure
    end: int = at + 2 + struct.unpack_from(">H", data, at + 2)[0]
    if end > len(data) or end < at + 4:
        raise UnknownStructure
    return end


def _draws(marker: int, body: bytes) -> bool:
    """Whether a segment is needed to show the picture: above the application's are comments and the like."""
    if 0xE0 <= marker <= 0xEF:
        return marker in JPEG_KEPT and body.startswith(JPEG_KEPT[marker])
    return marker < 0xE0


def _scan_end(data: bytes, at: int) -> int:
    """Where the coded pixels end that begin there."""
    found = AFTER_SCAN.search(data, at)
    if found is None:
        raise UnknownStructure
    return found.start()


def webp(data: bytes) -> bytes:
    """The WebP with the chunks that draw it."""
    chunks = [(kind, body) for kind, body in webp_chunks(data) if kind in WEBP_KEPT]
    told = b"".join(webp_chunk(kind, _without_flags(kind, body)) for kind, body in chunks)
    return b"RIFF" + struct.pack("<I", len(told) + 4) + b"WEBP" + told


def _without_flags(kind: bytes, body: bytes) -> bytes:
    """The extended header no longer promises EXIF and XMP."""
    return bytes([body[0] & ~(HAS_EXIF | HAS_XMP)]) + body[1:] if kind == b"VP8X" else body
