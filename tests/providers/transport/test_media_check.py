"""What received bytes are, by nothing but themselves: images, SVG, files, or nothing that is kept."""

import io
import random
import struct
import time
import zlib

import pytest
from PIL import Image

from generations.library.models import Image as StoredImage
from generations.providers.transport import media_check, svg_document
from generations.providers.transport.image_containers import png_chunk
from generations.providers.transport.media_check import InvalidImage, Media, identify

NAMESPACE = 'xmlns="http://www.w3.org/2000/svg"'
IMAGES = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/avif": "AVIF",
}
MOVING = {"image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF", "image/avif": "AVIF"}


def encoded(encoding, *, frames=1, size=(96, 64)):
    """A gradient, whose color changes from frame to frame."""
    ramp = Image.linear_gradient("L").resize(size)
    pictures = [Image.merge("RGB", (ramp, ramp.point([250 - 40 * at] * 256), ramp)) for at in range(frames)]
    target = io.BytesIO()
    moving = {"save_all": True, "append_images": pictures[1:]} if frames > 1 else {}
    pictures[0].save(target, encoding, **moving)
    return target.getvalue()


def svg(attributes="", inside="", *, encoding="utf-8"):
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n<svg {NAMESPACE} {attributes}>{inside}</svg>'
    return text.encode(encoding)


@pytest.mark.parametrize(("media_type", "encoding"), IMAGES.items())
def test_a_whole_image_is_an_image(media_type, encoding):
    assert identify(encoded(encoding)) == Media("image", media_type, 96, 64)


@pytest.mark.parametrize(("media_type", "encoding"), MOVING.items())
def test_an_image_that_moves_says_so(media_type, encoding):
    assert identify(encoded(encoding, frames=3)) == Media("image", media_type, 96, 64, is_animated=True)


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("encoding", ["JPEG", "WEBP", "GIF", "AVIF", "PNG"])
def test_a_truncated_image_is_none(encoding, frames):
    data = encoded(encoding, frames=1 if encoding == "JPEG" else frames)
    for kept in (len(data) - 9, len(data) - 20, len(data) // 2, 40):
        with pytest.raises(InvalidImage):
            identify(data[:kept])


def test_a_gif_is_whole_whatever_follows_its_end():
    assert identify(encoded("GIF") + b"\0\0 and more").kind == "image"


def test_a_gif_of_many_frames_is_looked_at_in_no_time():
    frame = b"\x2c" + struct.pack("<4H", 0, 0, 1, 1) + b"\0\x02\x02\x4c\x01\0"
    data = b"GIF89a" + struct.pack("<2H", 1, 1) + b"\x80\0\0" + bytes(6) + frame * 500_000 + b"\x3b"
    started = time.process_time()
    assert identify(data) == Media("image", "image/gif", 1, 1, is_animated=True)
    assert time.process_time() - started < 3


def test_other_providers_do_not_get_other_images():
    for encoding in ("GIF", "AVIF"):
        with pytest.raises(InvalidImage):
            media_check.validate_image(encoded(encoding))


def large_png(side):
    header = struct.pack(">2I5B", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side // 8 + 1) * 8))
    return (
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")
    )


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [8_200, 12_000, 60_000])
def test_an_image_of_too_many_pixels_is_kept_as_a_file(side):
    assert identify(large_png(side)) == Media("file", "image/png")
    with pytest.raises(InvalidImage):
        media_check.validate_image(large_png(side))


FILES = {
    "image/tiff": encoded("TIFF"),
    "image/bmp": encoded("BMP"),
    "image/jp2": encoded("JPEG2000"),
    "application/pdf": encoded("PDF"),
    "image/heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40),
    "image/jxl": b"\xff\x0a<svg" + bytes(40),
    "image/x-psd": b"8BPS\0\x01" + bytes(40),
    "video/mp4": b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2" + bytes(40),
    "video/quicktime": b"\0\0\0\x14ftypqt  \0\0\x02\0qt  " + bytes(40),
    "video/webm": b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01" + bytes(40),
    "model/gltf-binary": b"glTF\x02\0\0\0" + bytes(40),
    "application/zip": b"PK\x03\x04" + bytes(40),
    "application/gzip": b"\x1f\x8b\x08" + bytes(40),
    "image/x-exr": b"\x76\x2f\x31\x01" + bytes(40),
}


@pytest.mark.parametrize(("media_type", "data"), FILES.items(), ids=FILES)
def test_a_known_file_is_kept_with_its_type(media_type, data):
    assert identify(data) == Media("file", media_type)


def test_each_type_fits_the_row_of_an_image_and_is_tried_here():
    known = {media_type for _pattern, media_type in media_check.FILE_SIGNATURES}
    assert known == set(FILES)
    longest = StoredImage._meta.get_field("media_type").max_length
    assert all(len(media_type) <= longest for media_type in known | set(IMAGES) | {media_check.SVG})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b'{"error": "no image"}',
        b"<!DOCTYPE html><html><body><svg></svg></body></html>",
        b"<html><p>&nbsp;",
        b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
        b"https://example.com/image.png",
        b"BM, says the letter",
        b"\x89PNG\r\n\x1a\n",
        b"<",
    ],
)
def test_text_and_nothing_are_no_image(data):
    for sent_type in ("", "image/x-icon", "image/png"):
        with pytest.raises(InvalidImage):
            identify(data, sent_type)


ICON = b"\0\0\1\0\1\0\x10\x10\0\0\1\0 \0" + bytes(200)


@pytest.mark.parametrize("sent_type", ["image/x-icon", "Image/X-Icon; charset=binary", "audio/ogg"])
def test_bytes_that_say_nothing_are_a_file_of_the_type_that_came_with_them(sent_type):
    assert identify(ICON, sent_type) == Media("file", sent_type.partition(";")[0].lower())


@pytest.mark.parametrize(
    "sent_type",
    [
        "",
        "image/png",
        "image/svg+xml",
        "application/octet-stream",
        "text/html",
        "image/../x",
        "image/" + "x" * 99,
    ],
)
def test_bytes_that_say_nothing_are_none_where_the_type_would_tell(sent_type):
    with pytest.raises(InvalidImage):
        identify(ICON, sent_type)


# SVG -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('width="640" height="480"', (640, 480)),
        ('width="640px" height="480.0px" viewBox="0 0 10 10"', (640, 480)),
        ('width="2in" height="72pt"', (192, 96)),
        ('width="100%" height="100%" viewBox="-5 -5 200 100"', (200, 100)),
        ('viewBox="0,0,1e3,.5e2"', (1000, 50)),
        ('width="50" viewBox="0 0 200 100"', (50, 25)),
        ('height="50" viewBox="0 0 200 100"', (100, 50)),
        ("", (300, 150)),
        ('width="0" height="-3" viewBox="0 0 0 0"', (300, 150)),
        ('width="1e99" height="9999999999"', (svg_document.MAX_SIDE, svg_document.MAX_SIDE)),
        ('viewBox="nan inf x 1"', (300, 150)),
        ('viewBox="0 0 .001 1e90"', (1, svg_document.MAX_SIDE)),
    ],
)
def test_an_svg_has_the_size_that_a_browser_gives_it(attributes, size):
    assert identify(svg(attributes)) == Media("svg", "image/svg+xml", *size)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_an_svg_may_be_in_any_encoding(encoding):
    text = f'<?xml version="1.0" encoding="{encoding[:6].rstrip("-")}"?><svg {NAMESPACE}>é</svg>'
    assert identify(text.encode(encoding)).kind == "svg"


def test_an_svg_may_have_a_doctype_and_comments_before_it():
    doctype = (
        b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    )
    assert identify(b"\n <!-- traced -->" + doctype + svg().partition(b"\n")[2]).kind == "svg"


OUT_OF_BOUNDS = {
    "too deep": svg(inside="<g>" * 200 + "</g>" * 200),
    "too large": svg(inside="<path d='M0 0'/>" * 600_000),
    "with entities": f'<!DOCTYPE svg [<!ENTITY a "b">]><svg {NAMESPACE}>&a;</svg>'.encode(),
    "without namespace": b'<svg width="3" height="3"/>',
}


@pytest.mark.parametrize("data", OUT_OF_BOUNDS.values(), ids=OUT_OF_BOUNDS)
def test_an_svg_out_of_bounds_is_kept_as_a_file(data):
    assert identify(data) == Media("file", "image/svg+xml")


def test_entities_of_entities_take_no_time_and_no_memory():
    levels = "".join(f'<!ENTITY e{at + 1} "{f"&e{at};" * 10}">' for at in range(12))
    data = f'<!DOCTYPE svg [<!ENTITY e0 "lol">{levels}]><svg {NAMESPACE} a="&e12;">&e12;</svg>'.encode()
    started = time.process_time()
    assert identify(data) == Media("file", "image/svg+xml")
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("data", [svg()[:-3], svg(inside="<g>"), svg(inside="&lol;"), svg() + b"<svg/>"])
def test_an_svg_that_is_not_complete_is_none(data):
    with pytest.raises(InvalidImage):
        identify(data)


def test_whatever_the_bytes_nothing_but_an_answer_or_invalid_image():
    noise = random.Random(5)
    whole = [encoded(encoding, frames=2) for encoding in ("PNG", "WEBP", "GIF", "AVIF")]
    for data in [*whole, encoded("JPEG"), svg('width="3"', "<g id='a'/>"), *FILES.values()]:
        for _try in range(60):
            damaged = bytearray(data)
            for _byte in range(noise.randint(1, 8)):
                damaged[noise.randrange(len(damaged))] = noise.randrange(256)
            try:
                assert identify(bytes(damaged)).kind in {"image", "svg", "file"}
            except InvalidImage:
                continue
