"""Add a serial number to an encoded image, so that equal images differ in their bytes."""

from __future__ import annotations

import struct

from generations.sandbox.image_encoding import chunk

PNG_HEADER_END = 33  # signature and IHDR
JPEG_START_END = 2
EXIF_SERIAL = b"sandbox-00000000000000000000"
PREPARED_EXIF = b"Exif\x00\x00" + EXIF_SERIAL


def add_serial(data: bytes, output_format: str, serial: int) -> bytes:
    """Write the serial into a PNG text chunk, a JPEG comment or the prepared EXIF text of a WebP."""
    text = b"sandbox-%020d" % serial
    if output_format == "png":
        return data[:PNG_HEADER_END] + chunk(b"tEXt", b"Comment\x00" + text) + data[PNG_HEADER_END:]
    if output_format == "jpeg":
        comment = b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text
        return data[:JPEG_START_END] + comment + data[JPEG_START_END:]
    return data.replace(EXIF_SERIAL, text)
