"""Read and add metadata of PNG, JPEG and WebP without decoding the pixels; the container of WebP."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from enum import Enum, auto

from generations.providers.transport.image_containers import (
    JPEG_APP0,
    JPEG_APP1,
    JPEG_APP11,
    JPEG_APP15,
    JPEG_COMMENT,
    JPEG_SCAN,
    PNG_RENDERED,
    UnknownStructure,
    jpeg_segment,
    jpeg_segments,
    png_chunk,
    png_chunks,
)

XMP_KEYWORD = "XML:com.adobe.xmp"
XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
EXIF_HEADER = b"Exif\0\0"
HAS_ALPHA, HAS_EXIF, HAS_XMP = 0x10, 0x08, 0x04  # flags of VP8X (RFC 9649, 2.7)
WEBP_RENDERED = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
MAX_TEXT_SIZE = 4 * 1024 * 1024  # bytes of a compressed text that are looked at


class Kind(Enum):
    """What a piece of metadata is."""

    C2PA = (
        auto()
    )  # a manifest store (C2PA specification 2.2, "Embedding manifests into various file formats")
    XMP = auto()
    EXIF = auto()
    OTHER = auto()


def metadata(data: bytes, media_type: str) -> Iterator[tuple[Kind, bytes]]:
    """Yield kind and content of each piece of metadata, texts decompressed. Raises UnknownStructure."""
    by_type = {"image/png": _png_metadata, "image/jpeg": _jpeg_metadata, "image/webp": _webp_metadata}
    if media_type not in by_type:
        raise UnknownStructure
    return by_type[media_type](data)


def _is_jumbf(box: bytes) -> bool:
    """Whether this is the start of a JUMBF superbox, which a C2PA manifest store is (ISO 19566-5)."""
    return box[4:8] == b"jumb"


# PNG ------------------------------------------------------------------------------------


def add_to_png(data: bytes, *, xmp: bytes, parameters: str = "") -> bytes:
    """The PNG with these texts; existing chunks with the same keywords are replaced. UnknownStructure."""
    added = [_png_international(XMP_KEYWORD, xmp)]
    replaced = {XMP_KEYWORD.encode()}
    if parameters:
        added.insert(0, _png_text("parameters", parameters))
        replaced.add(b"parameters")
    chunks = list(png_chunks(data))
    if not chunks or chunks[0][0] != b"IHDR":
        raise UnknownStructure
    kept = [whole for kind, body, whole in chunks[1:] if png_keyword(kind, body) not in replaced]
    return b"".join([data[:8], chunks[0][2], *added, *kept])


def _png_metadata(data: bytes) -> Iterator[tuple[Kind, bytes]]:
    for kind, body, _whole in png_chunks(data):
        if kind == b"caBX" and _is_jumbf(body):
            yield Kind.C2PA, body
        elif kind == b"eXIf":
            yield Kind.EXIF, EXIF_HEADER + body
        elif png_keyword(kind, body) == XMP_KEYWORD.encode():
            yield Kind.XMP, _png_text_of(kind, body)
        elif kind not in PNG_RENDERED:
            yield Kind.OTHER, _png_text_of(kind, body)


def png_keyword(kind: bytes, body: bytes) -> bytes:
    """The keyword of a text chunk; b"" for other chunks."""
    return body.partition(b"\0")[0] if kind in {b"tEXt", b"zTXt", b"iTXt"} else b""


def _png_text_of(kind: bytes, body: bytes) -> bytes:
    """The text of a text chunk, with its keyword unless it is XMP; the body of other chunks."""
    keyword, _separator, rest = body.partition(b"\0")
    if kind == b"zTXt":
        return keyword + b" " + _inflated(rest[1:])
    if kind == b"iTXt":
        is_compressed = rest[:1] == b"\1"
        text = b"\0".join(rest[2:].split(b"\0", 2)[2:])
        text = _inflated(text) if is_compressed else text
        return text if keyword == XMP_KEYWORD.encode() else keyword + b" " + text
    return body


def _inflated(data: bytes) -> bytes:
    """The start of compressed data; b"" if it is damaged."""
    try:
        return zlib.decompressobj().decompress(data, MAX_TEXT_SIZE)
    except zlib.error:
        return b""


def _png_text(keyword: str, text: str) -> bytes:
    """A tEXt chunk in Latin-1, which all programs read; an iTXt chunk for other characters."""
    try:
        return png_chunk(b"tEXt", keyword.encode() + b"\0" + text.encode("latin-1"))
    except UnicodeEncodeError:
        return _png_international(keyword, text.encode())


def _png_international(keyword: str, text: bytes) -> bytes:
    """An iTXt chunk: keyword, not compressed, no language, no translated keyword, UTF-8."""
    return png_chunk(b"iTXt", keyword.encode() + b"\0\0\0\0\0" + text)


# JPEG -----------------------------------------------------------------------------------


def add_to_jpeg(data: bytes, *, xmp: bytes, exif: bytes = b"") -> bytes:
    """The JPEG with this XMP packet, and this EXIF if any, instead of its own. Raises UnknownStructure."""
    replaced = (XMP_HEADER, EXIF_HEADER) if exif else (XMP_HEADER,)
    jfif, others, rest = list[bytes](), list[bytes](), b""
    for marker, start, end in jpeg_segments(data):
        if marker == JPEG_SCAN:
            rest = data[start:]
            break
        segment = data[start:end]
        if marker == JPEG_APP0:  # JFIF comes first
            jfif.append(segment)
        elif not segment[4:].startswith(replaced):
            others.append(segment)
    added = [jpeg_segment(exif)] if exif else []
    return b"".join([data[:2], *jfif, *added, jpeg_segment(XMP_HEADER + xmp), *others, rest])


def _jpeg_metadata(data: bytes) -> Iterator[tuple[Kind, bytes]]:
    at = 0
    for marker, start, end in jpeg_segments(data):
        at, body = end, data[start + 4 : end]
        if marker == JPEG_APP1 and body.startswith(XMP_HEADER):
            yield Kind.XMP, body.removeprefix(XMP_HEADER)
        elif marker == JPEG_APP1 and body.startswith(EXIF_HEADER):
            yield Kind.EXIF, body
        elif marker == JPEG_APP11 and body.startswith(b"JP") and _is_jumbf(body[8:]):
            yield Kind.C2PA, body
        elif marker == JPEG_COMMENT or JPEG_APP0 < marker <= JPEG_APP15:
            yield Kind.OTHER, body
    if at < len(data):
        yield Kind.OTHER, data[at:]


# WebP: RIFF chunks of type, length and data (RFC 9649) ----------------------------------


def add_to_webp(data: bytes, *, xmp: bytes, exif: bytes = b"") -> bytes:
    """The WebP with this XMP packet, and this EXIF if any, instead of its own. Raises UnknownStructure."""
    replaced = {b"XMP ", b"EXIF"} if exif else {b"XMP "}
    chunks = [chunk for chunk in webp_chunks(data) if chunk[0] not in replaced]
    if chunks[0][0] != b"VP8X":
        chunks.insert(0, (b"VP8X", _webp_header(*chunks[0])))
    header = bytearray(chunks[0][1])
    header[0] |= HAS_XMP
    if exif:
        header[0] |= HAS_EXIF
        chunks.append((b"EXIF", exif.removeprefix(EXIF_HEADER)))
    chunks[0] = (b"VP8X", bytes(header))
    chunks.append((b"XMP ", xmp))
    return webp_file(chunks)


def _webp_metadata(data: bytes) -> Iterator[tuple[Kind, bytes]]:
    for kind, body in webp_chunks(data):
        if kind == b"C2PA" and _is_jumbf(body):
            yield Kind.C2PA, body
        elif kind == b"XMP ":
            yield Kind.XMP, body
        elif kind == b"EXIF":
            yield Kind.EXIF, EXIF_HEADER + body.removeprefix(EXIF_HEADER)
        elif kind not in WEBP_RENDERED:
            yield Kind.OTHER, body


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
