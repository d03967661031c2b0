"""Encode images as PNG, JPEG or WebP, or as a drawing in SVG.

A serial number makes equal images differ in their bytes.
"""

from __future__ import annotations

import io
import struct
import zlib
from itertools import groupby

import numpy as np
from PIL import Image

JPEG_QUALITY = 88
WEBP_QUALITY = 84
SVG_CELLS, SVG_COLOURS = 96, 24  # of the longer side of a drawing, and in all
PNG_HEADER_END = 33  # signature and IHDR
PNG_COLOUR = {3: 2, 4: 6}  # colour type by number of channels: RGB, RGBA
JPEG_START_END = 2
EXIF_SERIAL = b"sandbox-00000000000000000000"
PREPARED_EXIF = b"Exif\x00\x00" + EXIF_SERIAL


def encode(image: Image.Image, output_format: str, exif: bytes = b"") -> bytes:
    """Encode an RGB or RGBA image, a JPEG from RGB alone; `exif` is only used for WebP."""
    if output_format == "png":
        return png(np.asarray(image))
    if output_format == "svg":
        return svg(image)
    target = io.BytesIO()
    if output_format == "jpeg":
        image.save(target, "jpeg", quality=JPEG_QUALITY)
    else:
        image.save(target, "webp", quality=WEBP_QUALITY, method=0, exif=exif)
    return target.getvalue()


def png(pixels: np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]) -> bytes:
    """Encode a PNG with filter 2 (up) for all rows.

    Trying all five filters on each row, as Pillow does, takes more than twice as long and saves nothing on
    film grain.
    """
    height, width, channels = pixels.shape
    rows = pixels.reshape(height, width * channels)
    filtered = np.empty((height, width * channels + 1), dtype=np.uint8)
    filtered[:, 0] = 2
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, PNG_COLOUR[channels], 0, 0, 0)
    packed = zlib.compress(filtered.tobytes(), level=1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def svg(image: Image.Image) -> bytes:
    """Draw an image as a mosaic: a path for each of a few colours, with the cells that have it."""
    small = image.convert("RGB")
    small.thumbnail((SVG_CELLS, SVG_CELLS), Image.Resampling.BOX)
    few = small.quantize(SVG_COLOURS)
    palette, pixels = few.getpalette() or [], few.tobytes()
    cells: dict[int, list[str]] = {}
    for row in range(few.height):
        column = 0
        for colour, run in groupby(pixels[row * few.width : (row + 1) * few.width]):
            length = len(list(run))
            cells.setdefault(colour, []).append(f"M{column} {row}h{length}v1h-{length}z")
            column += length
    paths = "".join(
        f'<path fill="#{bytes(palette[3 * colour : 3 * colour + 3]).hex()}" d="{"".join(parts)}"/>'
        for colour, parts in sorted(cells.items())
    )
    size = f'width="{image.width}" height="{image.height}" viewBox="0 0 {few.width} {few.height}"'
    size += ' shape-rendering="crispEdges"'  # no seams between cells
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{paths}</svg>'.encode()


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return one PNG chunk: length, type, data, checksum."""
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def add_serial(data: bytes, output_format: str, serial: int) -> bytes:
    """Write the serial into a PNG text chunk, a comment, or the prepared EXIF text of a WebP."""
    text = b"sandbox-%020d" % serial
    if output_format == "svg":
        return data + b"<!-- " + text + b" -->"
    if output_format == "png":
        return data[:PNG_HEADER_END] + chunk(b"tEXt", b"Comment\x00" + text) + data[PNG_HEADER_END:]
    if output_format == "jpeg":
        comment = b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text
        return data[:JPEG_START_END] + comment + data[JPEG_START_END:]
    return data.replace(EXIF_SERIAL, text)
