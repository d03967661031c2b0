"""Taking out of a file all that it says beside its picture. The encoded pixels are not touched."""

from __future__ import annotations

import re
from collections.abc import Iterator

from PIL import Image as Pillow

from generations.library.imaging import containers

# What a picture is drawn from (PNG specification, third edition, 11); everything else only tells of it.
PNG_DRAWN = {
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"fcTL", b"fdAT"),
    *(b"cHRM", b"cICP", b"gAMA", b"iCCP", b"mDCV", b"cLLI", b"sBIT", b"sRGB", b"bKGD", b"pHYs"),
}
WEBP_DRAWN = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
ICC_MARK = b"ICC_PROFILE\0"
ORIENTATION = 0x0112
# A byte FF within a scan is followed by 00, or by a mark to start anew (ITU-T T.81, B.1.1.5).
NEXT_MARKER = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")
FIRST_APPLICATION, LAST_APPLICATION, COMMENT, END, SCAN = 0xE0, 0xEF, 0xFE, 0xD9, 0xDA


def bare(data: bytes, media_type: str) -> bytes:
    """The file with nothing in it but its picture; the very same bytes if that is all it had.

    Which way is up stays. Raises UnknownStructure for a file that is not built as its format says.
    """
    strip = {"image/png": _bare_png, "image/jpeg": _bare_jpeg, "image/webp": _bare_webp}
    if media_type not in strip:
        raise containers.UnknownStructure
    return strip[media_type](data)


def _bare_png(data: bytes) -> bytes:
    kept = [data[:8]]
    for kind, body, whole in containers.png_chunks(data):
        if kind in PNG_DRAWN:
            kept.append(whole)
        elif kind == b"eXIf" and (turned := _only_turned(body)):
            kept.append(containers.png_chunk(b"eXIf", turned.removeprefix(containers.EXIF_MARK)))
        if kind == b"IEND":
            return b"".join(kept)
    raise containers.UnknownStructure


def _bare_jpeg(data: bytes) -> bytes:
    return b"".join([data[:2], *(part for part in _jpeg_parts(data) if part)])


def _jpeg_parts(data: bytes) -> Iterator[bytes]:
    """The segments that the picture is drawn from, and its scans, as far as its end."""
    at = 2
    while data[at + 1 : at + 2] != bytes([END]):
        if at + 4 > len(data) or data[at] != 0xFF:
            raise containers.UnknownStructure
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        yield _jpeg_kept(data[at + 1], data[at:end])
        if data[at + 1] == SCAN:
            following = NEXT_MARKER.search(data, end)
            if following is None:
                raise containers.UnknownStructure
            yield data[end : (start := following.end() - 2)]
            end = start
        at = end
    yield data[at : at + 2]


def _jpeg_kept(marker: int, segment: bytes) -> bytes:
    """What is left of a segment."""
    if marker == COMMENT:
        return b""
    if not FIRST_APPLICATION < marker <= LAST_APPLICATION:
        return segment
    body = segment[4:]
    if body.startswith((ICC_MARK, b"Adobe")):  # both say what the numbers mean as colors
        return segment
    if body.startswith(containers.EXIF_MARK) and (turned := _only_turned(body)):
        return containers.jpeg_segment(turned)
    return b""


def _bare_webp(data: bytes) -> bytes:
    chunks = []
    for kind, body in (all_chunks := containers.webp_chunks(data)):
        if kind in WEBP_DRAWN:
            chunks.append((kind, body))
        elif kind == b"EXIF" and (turned := _only_turned(body)):
            chunks.append((kind, turned.removeprefix(containers.EXIF_MARK)))
    if chunks == all_chunks and len(data) == 8 + int.from_bytes(data[4:8], "little"):
        return data
    if chunks and chunks[0][0] == b"VP8X":
        header = bytearray(chunks[0][1])
        header[0] &= ~(containers.HAS_EXIF | containers.HAS_XMP)
        header[0] |= containers.HAS_EXIF * any(kind == b"EXIF" for kind, _body in chunks)
        chunks[0] = (b"VP8X", bytes(header))
    return containers.webp_file(chunks)


def _only_turned(exif: bytes) -> bytes:
    """EXIF that says which way is up and nothing else; nothing if it is up already."""
    told, left = Pillow.Exif(), Pillow.Exif()
    try:
        told.load(exif)
        orientation = told.get(ORIENTATION, 1)
    except Exception:  # Pillow raises anything on a broken EXIF
        return b""
    if orientation not in range(2, 9):
        return b""
    left[ORIENTATION] = int(orientation)
    return left.tobytes()
