"""Remove all metadata from a file; the encoded pixels are not changed."""

from __future__ import annotations

from PIL import Image as Pillow

from generations.library.imaging import containers
from generations.providers.transport.image_containers import (
    JPEG_APP0,
    JPEG_APP15,
    JPEG_COMMENT,
    PNG_RENDERED,
    UnknownStructure,
    jpeg_segment,
    jpeg_segments,
    png_chunk,
    png_chunks,
)

COLOR_HEADERS = (b"ICC_PROFILE\0", b"Adobe")  # segments that say how values are colors
ORIENTATION = 0x0112


def strip(data: bytes, media_type: str) -> bytes:
    """The file without metadata, except for the color profile and the EXIF orientation.

    The same bytes if there is none. Raises UnknownStructure for a file that is not as its format requires.
    """
    by_type = {"image/png": _strip_png, "image/jpeg": _strip_jpeg, "image/webp": _strip_webp}
    if media_type not in by_type:
        raise UnknownStructure
    return by_type[media_type](data)


def _strip_png(data: bytes) -> bytes:
    kept = [data[:8]]
    for kind, body, whole in png_chunks(data):
        if kind in PNG_RENDERED:
            kept.append(whole)
        elif kind == b"eXIf" and (orientation := orientation_only(body)):
            kept.append(png_chunk(b"eXIf", orientation.removeprefix(containers.EXIF_HEADER)))
        if kind == b"IEND":
            return b"".join(kept)
    raise UnknownStructure


def _strip_jpeg(data: bytes) -> bytes:
    segments = (_jpeg_segment(marker, data[start:end]) for marker, start, end in jpeg_segments(data))
    return b"".join([data[:2], *segments])


def _jpeg_segment(marker: int, segment: bytes) -> bytes:
    """What remains of a segment."""
    if marker == JPEG_COMMENT:
        return b""
    if not JPEG_APP0 < marker <= JPEG_APP15:
        return segment
    body = segment[4:]
    if body.startswith(COLOR_HEADERS):
        return segment
    if body.startswith(containers.EXIF_HEADER) and (orientation := orientation_only(body)):
        return jpeg_segment(orientation)
    return b""


def _strip_webp(data: bytes) -> bytes:
    chunks = []
    for kind, body in (all_chunks := containers.webp_chunks(data)):
        if kind in containers.WEBP_RENDERED:
            chunks.append((kind, body))
        elif kind == b"EXIF" and (orientation := orientation_only(body)):
            chunks.append((kind, orientation.removeprefix(containers.EXIF_HEADER)))
    if chunks == all_chunks and len(data) == 8 + int.from_bytes(data[4:8], "little"):
        return data
    if chunks and chunks[0][0] == b"VP8X":
        header = bytearray(chunks[0][1])
        header[0] &= ~(containers.HAS_EXIF | containers.HAS_XMP)
        header[0] |= containers.HAS_EXIF * any(kind == b"EXIF" for kind, _body in chunks)
        chunks[0] = (b"VP8X", bytes(header))
    return containers.webp_file(chunks)


def orientation_only(exif: bytes) -> bytes:
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
