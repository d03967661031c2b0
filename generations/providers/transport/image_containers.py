"""Read the containers of PNG, JPEG and GIF, and leave out what decoders do not need but stumble over."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

MAX_PROFILE_SIZE = 1024 * 1024  # bytes; Pillow refuses a PNG whose color profile is larger
# The chunks that decide what is seen (PNG specification, third edition, 11); all others are metadata.
PNG_RENDERED = frozenset(
    b"IHDR PLTE IDAT IEND tRNS acTL fcTL fdAT cHRM cICP gAMA iCCP mDCV cLLI sBIT sRGB bKGD pHYs".split()
)
JPEG_APP0, JPEG_APP1, JPEG_APP2, JPEG_APP11, JPEG_APP15 = 0xE0, 0xE1, 0xE2, 0xEB, 0xEF
JPEG_COMMENT, JPEG_END, JPEG_SCAN = 0xFE, 0xD9, 0xDA
GIF_EXTENSION, GIF_IMAGE, GIF_TRAILER = 0x21, 0x2C, 0x3B
MPF_HEADER = b"MPF\0"  # Multi-Picture Format (CIPA DC-007): where the other pictures are behind the first
# Within a scan, FF is followed by 00 or by a restart marker (ITU-T T.81, B.1.1.5).
_NEXT_MARKER = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")


class UnknownStructure(Exception):
    """The file does not have the structure of its format."""


def decodable(data: bytes) -> bytes:
    """The file without what no viewer needs to show its first picture; the same object if there is none.

    Decoders that check everything refuse pictures that viewers show. Left out are: of a PNG, metadata, and
    color information that is damaged or larger than 1 MiB (as the PNG specification, 13.1 and 13.2, lets
    decoders do); of a JPEG, what follows its end (the video of a motion photo, further pictures, a gain map)
    and the index of that. Files of unknown structure are not changed.
    """
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _decodable_png(data)
        if data.startswith(b"\xff\xd8\xff"):
            return _decodable_jpeg(data)
    except UnknownStructure:
        return data
    return data


# PNG: chunks of length, type, data and checksum (PNG specification, 5) ----------------


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield type, data and all bytes of each chunk. Raises UnknownStructure."""
    at = 8
    while at < len(data):
        if at + 12 > len(data):
            raise UnknownStructure
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if end > len(data):
            raise UnknownStructure
        yield data[at + 4 : at + 8], data[at + 8 : end - 4], data[at:end]
        at = end


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk with its length and checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_profile(body: bytes, longest: int) -> bytes | None:
    """The color profile in an iCCP chunk; None if it is damaged or has more than `longest` bytes."""
    _name, _separator, compressed = body.partition(b"\0")
    decompressor = zlib.decompressobj()
    try:
        profile = decompressor.decompress(compressed[1:], longest + 1)  # the first byte is the method
    except zlib.error:
        return None
    return profile if decompressor.eof and len(profile) <= longest else None


def _decodable_png(data: bytes) -> bytes:
    kept, is_changed = [data[:8]], False
    for kind, body, whole in png_chunks(data):
        if _is_needed(kind, body, whole):
            kept.append(whole)
        else:
            is_changed = True
        if kind == b"IEND":
            return b"".join(kept) if is_changed else data
    return data


def _is_needed(kind: bytes, body: bytes, whole: bytes) -> bool:
    if not kind[0] & 0x20:  # a critical chunk: damage in it is damage to the picture
        return True
    if kind not in PNG_RENDERED or zlib.crc32(kind + body) != int.from_bytes(whole[-4:], "big"):
        return False
    return kind != b"iCCP" or png_profile(body, MAX_PROFILE_SIZE) is not None


# JPEG: segments of marker, length and data (ITU-T T.81, B.1) ---------------------------


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and end of each segment up to the end of the image. Raises UnknownStructure.

    A scan has its coded data with it.
    """
    at, marker = 2, 0
    while marker != JPEG_END:
        while data[at : at + 2] == b"\xff\xff":  # fill bytes (B.1.1.2)
            at += 1
        if at + 2 > len(data) or data[at] != 0xFF:
            raise UnknownStructure
        marker = data[at + 1]
        end = at + 2 if marker == JPEG_END else _segment_end(data, at)
        yield marker, at, end
        at = end


def _segment_end(data: bytes, at: int) -> int:
    length = int.from_bytes(data[at + 2 : at + 4], "big")
    end = at + 2 + length
    if length < 2 or end > len(data):
        raise UnknownStructure
    if data[at + 1] != JPEG_SCAN:
        return end
    next_marker = _NEXT_MARKER.search(data, end)
    if next_marker is None:
        raise UnknownStructure
    return next_marker.end() - 2


def jpeg_segment(body: bytes, marker: int = JPEG_APP1) -> bytes:
    """A segment with its marker and length."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def _decodable_jpeg(data: bytes) -> bytes:
    segments = [(marker, data[start:end]) for marker, start, end in jpeg_segments(data)]
    kept = [
        segment
        for marker, segment in segments
        if not (marker == JPEG_APP2 and segment[4:].startswith(MPF_HEADER))
    ]
    size = 2 + sum(map(len, kept))
    return data if size == len(data) else b"".join([data[:2], *kept])


# GIF: blocks of sub-blocks (GIF89a specification, 15 to 27) ------------------------------


def gif_frames(data: bytes) -> int:
    """The number of frames of a GIF up to its trailer. Raises UnknownStructure if it is cut off."""
    try:
        at, frames = 13 + _color_table_size(data[10]), 0
        while (kind := data[at]) != GIF_TRAILER:
            if kind == GIF_EXTENSION:
                at += 2
            elif kind == GIF_IMAGE:
                frames += 1
                at += 11 + _color_table_size(data[at + 9])
            else:
                raise UnknownStructure
            while size := data[at]:
                at += 1 + size
            at += 1
    except IndexError:
        raise UnknownStructure from None
    return frames


def _color_table_size(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
