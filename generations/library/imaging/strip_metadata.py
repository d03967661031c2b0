"""Remove all metadata from a file; the encoded pixels are not changed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from PIL import Image as Pillow

from generations.library.imaging import containers

# The chunks that a decoder needs (PNG specification, third edition, 11); all others are metadata.
PNG_RENDERED = set(
    b"IHDR PLTE IDAT IEND tRNS acTL fcTL fdAT cHRM cICP gAMA iCCP mDCV cLLI sBIT sRGB bKGD pHYs".split()
)
WEBP_RENDERED = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
ICC_HEADER = b"ICC_PROFILE\0"
ORIENTATION = 0x0112
# Within a scan, FF is followed by 00 or by a restart marker (ITU-T T.81, B.1.1.5).
NEXT_MARKER = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")
FIRST_APP, LAST_APP, COMMENT, END, SCAN = 0xE0, 0xEF, 0xFE, 0xD9, 0xDA


def strip(data: bytes, media_type: str) -> bytes:
    """The file without metadata, except for the color profile and the EXIF orientation.

    The same bytes if there is none. Raises UnknownStructure for a file that is not as its format requires.
    """
    by_type = {"image/png": _strip_png, "image/jpeg": _strip_jpeg, "image/webp": _strip_webp}
    if media_type not in by_type:
        raise containers.UnknownStructure
    return by_type[media_type](data)


def _strip_png(data: bytes) -> bytes:
    kept = [data[:8]]
    for kind, body, whole in containers.png_chunks(data):
        if kind in PNG_RENDERED:
            kept.append(whole)
        elif kind == b"eXIf" and (orientation := _orientation_only(body)):
            kept.append(containers.png_chunk(b"eXIf", orientation.removeprefix(containers.EXIF_HEADER)))
        if kind == b"IEND":
            return b"".join(kept)
    raise containers.UnknownStructure


def _strip_jpeg(data: bytes) -> bytes:
    return b"".join([data[:2], *(part for part in _jpeg_parts(data) if part)])


def _jpeg_parts(data: bytes) -> Iterator[bytes]:
    """Yield the segments that a decoder needs, and the scans, up to the end of the image."""
    at = 2
    while data[at + 1 : at + 2] != bytes([END]):
        if at + 4 > len(data) or data[at] != 0xFF:
            raise containers.UnknownStructure
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        yield _jpeg_segment(data[at + 1], data[at:end])
        if data[at + 1] == SCAN:
            next_marker = NEXT_MARKER.search(data, end)
            if next_marker is None:
                raise containers.UnknownStructure
            yield data[end : (start := next_marker.end() - 2)]
            end = start
        at = end
    yield data[at : at + 2]


def _jpeg_segment(marker: int, segment: bytes) -> bytes:
    """What remains of a segment."""
    if marker == COMMENT:
        return b""
    if not FIRST_APP < marker <= LAST_APP:
        return segment
    body = segment[4:]
    if body.startswith((ICC_HEADER, b"Adobe")):  # both say how values are colors
        return segment
    if body.startswith(containers.EXIF_HEADER) and (orientation := _orientation_only(body)):
        return containers.jpeg_segment(orientation)
    return b""


def _strip_webp(data: bytes) -> bytes:
    chunks = []
    for kind, body in (all_chunks := containers.webp_chunks(data)):
        if kind in WEBP_RENDERED:
            chunks.append((kind, body))
        elif kind == b"EXIF" and (orientation := _orientation_only(body)):
            chunks.append((kind, orientation.removeprefix(containers.EXIF_HEADER)))
    if chunks == all_chunks and len(data) == 8 + int.from_bytes(data[4:8], "little"):
        return data
    if chunks and chunks[0][0] == b"VP8X":
        header = bytearray(chunks[0][1])
        header[0] &= ~(containers.HAS_EXIF | containers.HAS_XMP)
        header[0] |= containers.HAS_EXIF * any(kind == b"EXIF" for kind, _body in chunks)
        chunks[0] = (b"VP8X", bytes(header))
    return containers.webp_file(chunks)


def _orientation_only(exif: bytes) -> bytes:
    """EXIF with nothing but the orientation; b"" if the picture is upright."""
    source, stripped = Pillow.Exif(), Pillow.Exif()
    try:
        source.load(exif)
        orientation = source.get(ORIENTATION, 1)
    except Exception:  # Pillow raises many kinds on broken EXIF
        return b""
    if orientation not in range(2, 9):
        return b""
    stripped[ORIENTATION] = int(orientation)
    return stripped.tobytes()
