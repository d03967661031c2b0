"""Read and write the containers of PNG, JPEG and WebP: add metadata without decoding the pixels."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator

XMP_KEYWORD = "XML:com.adobe.xmp"
XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
EXIF_HEADER = b"Exif\0\0"
HAS_ALPHA, HAS_EXIF, HAS_XMP = 0x10, 0x08, 0x04  # flags of VP8X (RFC 9649, 2.7)


class UnknownStructure(Exception):
    """The file does not have the structure of its format."""


# PNG: chunks of length, type, data and checksum (PNG specification, 5) ----------------


def add_to_png(data: bytes, *, parameters: str, xmp: bytes) -> bytes:
    """The PNG with both texts; existing chunks with the same keywords are replaced."""
    replaced = {b"parameters", XMP_KEYWORD.encode()}
    chunks = list(png_chunks(data))
    if not chunks or chunks[0][0] != b"IHDR":
        raise UnknownStructure
    kept = [
        whole
        for kind, body, whole in chunks[1:]
        if kind not in {b"tEXt", b"zTXt", b"iTXt"} or body.partition(b"\0")[0] not in replaced
    ]
    added = [_png_text("parameters", parameters), _png_international(XMP_KEYWORD, xmp)]
    return b"".join([data[:8], chunks[0][2], *added, *kept])


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


def _png_text(keyword: str, text: str) -> bytes:
    """A tEXt chunk in Latin-1, which all programs read; an iTXt chunk for other characters."""
    try:
        return png_chunk(b"tEXt", keyword.encode() + b"\0" + text.encode("latin-1"))
    except UnicodeEncodeError:
        return _png_international(keyword, text.encode())


def _png_international(keyword: str, text: bytes) -> bytes:
    """An iTXt chunk: keyword, not compressed, no language, no translated keyword, UTF-8."""
    return png_chunk(b"iTXt", keyword.encode() + b"\0\0\0\0\0" + text)


# JPEG: segments of marker, length and data (ITU-T T.81, B.1) ---------------------------


def add_to_jpeg(data: bytes, *, exif: bytes, xmp: bytes) -> bytes:
    """The JPEG with this XMP packet instead of its own; the EXIF is added only if it has none."""
    segments, rest = _jpeg_segments(data)
    first = [segment for segment in segments if segment[:2] == b"\xff\xe0"]  # JFIF comes first
    others = [
        segment for segment in segments if segment not in first and not segment[4:].startswith(XMP_HEADER)
    ]
    if not any(segment[4:].startswith(EXIF_HEADER) for segment in others):
        first.append(jpeg_segment(exif))
    return b"".join([data[:2], *first, jpeg_segment(XMP_HEADER + xmp), *others, rest])


def _jpeg_segments(data: bytes) -> tuple[list[bytes], bytes]:
    """The segments before the first scan, and everything from there on."""
    segments, at = [], 2
    while data[at : at + 2] != b"\xff\xda":
        if at + 4 > len(data) or data[at] != 0xFF or not 0xC0 <= data[at + 1] <= 0xFE:
            raise UnknownStructure
        (length,) = struct.unpack_from(">H", data, at + 2)
        segments.append(data[at : at + 2 + length])
        at += 2 + length
    return segments, data[at:]


def jpeg_segment(body: bytes) -> bytes:
    """An APP1 segment."""
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


# WebP: RIFF chunks of type, length and data (RFC 9649) ----------------------------------


def add_to_webp(data: bytes, *, exif: bytes, xmp: bytes) -> bytes:
    """The WebP with this XMP packet instead of its own; the EXIF is added only if it has none."""
    chunks = [chunk for chunk in webp_chunks(data) if chunk[0] != b"XMP "]
    if chunks[0][0] != b"VP8X":
        chunks.insert(0, (b"VP8X", _webp_header(*chunks[0])))
    header = bytearray(chunks[0][1])
    header[0] |= HAS_EXIF | HAS_XMP
    chunks[0] = (b"VP8X", bytes(header))
    if not any(kind == b"EXIF" for kind, _body in chunks):
        chunks.append((b"EXIF", exif.removeprefix(EXIF_HEADER)))
    chunks.append((b"XMP ", xmp))
    return webp_file(chunks)


def webp_file(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A WebP file of these chunks."""
    body = b"WEBP" + b"".join(_webp_chunk(kind, body) for kind, body in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Type and data of each chunk, at least one of ten bytes or more. Raises UnknownStructure."""
    end = 8 + struct.unpack_from("<I", data, 4)[0] if len(data) > 12 else 0
    if end > len(data):
        raise UnknownStructure
    chunks, at = [], 12
    while at + 8 <= end:
        (length,) = struct.unpack_from("<I", data, at + 4)
        chunks.append((data[at : at + 4], data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    if not chunks or at < end or len(chunks[0][1]) < 10:
        raise UnknownStructure
    return chunks


def _webp_header(kind: bytes, body: bytes) -> bytes:
    """A VP8X header for a file that has none: flags, three zero bytes, width - 1, height - 1."""
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":  # RFC 6386, 9.1
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", body, 6))
        return _vp8x(0, width - 1, height - 1)
    if kind == b"VP8L" and body[0] == 0x2F:  # RFC 9649, 3.4: 14 bits, 14 bits, one for alpha
        (bits,) = struct.unpack_from("<I", body, 1)
        alpha = HAS_ALPHA if bits >> 28 & 1 else 0
        return _vp8x(alpha, bits & 0x3FFF, bits >> 14 & 0x3FFF)
    raise UnknownStructure


def _vp8x(flags: int, width: int, height: int) -> bytes:
    """The ten bytes of a VP8X chunk."""
    return bytes([flags, 0, 0, 0]) + width.to_bytes(3, "little") + height.to_bytes(3, "little")


def _webp_chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk with its length, padded to an even number of bytes."""
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
