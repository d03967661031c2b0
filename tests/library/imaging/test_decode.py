"""Pictures that every viewer shows are read here too, in their own tones."""

import io
import struct
import zlib

import pytest
from PIL import Image as Pillow
from PIL import PngImagePlugin

from generations.library.delivery import thumbnails
from generations.library.imaging import convert as imaging_convert
from generations.library.imaging import decode as imaging_decode
from generations.library.imaging.convert import OutputFormat
from generations.library.storage import client as storage_client
from generations.library.uploads import input_images
from generations.providers.transport import image_containers, media_check
from tests.library.conftest import FORMATS, decoded, encoded, pixels
from tests.library.imaging.color_profiles import LINEAR_128, linear_grey, linear_rgb, printed_cmyk

VIDEO = b"\0\0\0\x18ftypmp42" + b"\xff\xda\x00\x08 frames \xff\xd9" * 200


def png_with(kind, body, *, is_damaged=False, picture=None):
    """A PNG with one more chunk behind its header, whose checksum may be wrong."""
    plain = encoded(picture or pixels())
    chunk = image_containers.png_chunk(kind, body)
    if is_damaged:
        chunk = chunk[:-1] + bytes([chunk[-1] ^ 1])
    return plain[:33] + chunk + plain[33:]


def damaged(data, kind):
    """The PNG with a wrong checksum in its first chunk of a kind."""
    at = data.index(kind) - 4
    (length,) = struct.unpack_from(">I", data, at)
    end = at + 12 + length
    return data[: end - 1] + bytes([data[end - 1] ^ 1]) + data[end:]


def with_large_profile(profile, picture):
    large = profile + bytes(2 * 1024 * 1024)
    return png_with(b"iCCP", b"large\0\0" + zlib.compress(large), picture=picture)


def mpo(**options):
    return encoded(pixels(), "MPO", save_all=True, append_images=[pixels(seed=2)], **options)


def first_of(data):
    """A JPEG's first picture."""
    *_others, (_marker, _start, end) = image_containers.jpeg_segments(data)
    return data[:end]


LARGE_TEXT = zlib.compress(b"a prompt " * 200_000)
SIDE_CHUNKS = {
    "a compressed text of 1.8 MB": lambda: png_with(b"zTXt", b"Comment\0\0" + LARGE_TEXT),
    "a compressed international text": lambda: png_with(b"iTXt", b"XML\0\1\0\0\0" + LARGE_TEXT),
    "a damaged compressed text": lambda: png_with(b"zTXt", b"Comment\0\0rubbish"),
    "a text with a wrong checksum": lambda: png_with(b"tEXt", b"Comment\0hello", is_damaged=True),
    "a time with a wrong checksum": lambda: png_with(b"tIME", bytes(7), is_damaged=True),
    "an unknown chunk with a wrong checksum": lambda: png_with(b"prVt", b"anything", is_damaged=True),
    "a profile with a wrong checksum": lambda: damaged(encoded(pixels(), icc_profile=linear_rgb()), b"iCCP"),
    "a damaged profile": lambda: png_with(b"iCCP", b"name\0\0rubbish"),
    "a profile of 2 MB": lambda: with_large_profile(linear_rgb(), pixels()),
    "broken EXIF": lambda: png_with(b"eXIf", b"MM\0*rubbish"),
    "a resolution of the wrong length": lambda: png_with(b"pHYs", b"", is_damaged=True),
}
MORE_PICTURES = {
    "a motion photo": lambda: encoded(pixels(), "JPEG") + VIDEO,
    "two pictures (MPO)": mpo,
    "two pictures with EXIF": lambda: mpo(exif=Pillow.Exif()),
    "MPO whose second picture is cut off": lambda: mpo()[:-2_000],
    "MPO whose second picture is gone": lambda: first_of(mpo()),
    "MPO with a broken index": lambda: mpo().replace(b"MPF\0II*\0", b"MPF\0II*\xff"),
    "MPO with an index that counts wrongly": lambda: mpo().replace(b"MPF\0", b"MPF\0" + b"\xff" * 8),
    "a gain map (Ultra HDR)": lambda: mpo(xmp=b'<x:xmpmeta hdrgm:Version="1.0"/>'),
    "fill bytes before a marker": lambda: b"\xff\xd8\xff\xff" + encoded(pixels(), "JPEG")[2:],
}


def save_upload(member, data):
    return input_images.save_upload(member=member, file=io.BytesIO(data), name="photo")


@pytest.mark.parametrize("name", SIDE_CHUNKS)
def test_a_png_with_odd_metadata_is_read(member, make_image, name):
    data = SIDE_CHUNKS[name]()
    assert save_upload(member, data).width == 320
    received = media_check.validate_image(data)
    assert (received.data, received.media_type, received.width) == (data, "image/png", 320)
    thumbnail_of(make_image, data, "image/png")


@pytest.mark.parametrize("name", MORE_PICTURES)
def test_the_first_picture_of_a_jpeg_is_read_whatever_follows(member, make_image, name):
    data = MORE_PICTURES[name]()
    upload = save_upload(member, data)
    first = decoded(encoded(pixels(), "JPEG")).tobytes()
    kept = decoded(storage_client.read(upload.key))
    assert kept.size == (320, 200)
    difference = max(abs(a - b) for a, b in zip(kept.tobytes()[::97], first[::97], strict=True))
    assert difference < 40  # it was encoded again; the second picture is another one
    received = media_check.validate_image(data)
    assert (received.data, received.media_type, received.width) == (data, "image/jpeg", 320)
    thumbnail_of(make_image, data, "image/jpeg")


@pytest.mark.parametrize("kind", [b"IDAT", b"IHDR"])
def test_a_result_whose_pixels_are_damaged_is_refused(kind):
    data = damaged(encoded(pixels()), kind)
    with pytest.raises(media_check.InvalidImage):
        media_check.validate_image(data)


@pytest.mark.parametrize("data", [encoded(pixels())[:-12], encoded(pixels(), "JPEG")[:-500]])
def test_a_file_that_is_cut_off_is_not_taken_for_a_whole_one(data):
    with pytest.raises(media_check.InvalidImage):
        media_check.validate_image(data)


def test_a_large_compressed_text_takes_no_memory():
    bomb = png_with(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000)))
    assert len(image_containers.decodable(bomb)) < len(bomb)
    too_large = png_with(b"iCCP", b"large\0\0" + zlib.compress(bytes(50_000_000)))
    with imaging_decode.open_image(too_large) as picture:
        assert "icc_profile" not in picture.info


def test_a_plain_file_is_not_copied():
    for encoding in FORMATS.values():
        data = encoded(pixels(), encoding)
        assert image_containers.decodable(data) is data


# Tones --------------------------------------------------------------------------------


def thumbnail_of(make_image, data, media_type):
    return decoded(thumbnails.get_or_make(make_image(data=data, media_type=media_type), "small"))


def grey_of(picture):
    """The value in the middle of a grey picture, of red, green and blue alike."""
    red, green, blue = picture.convert("RGB").getpixel((picture.width // 2, picture.height // 2))
    assert max(red, green, blue) - min(red, green, blue) <= 3
    return green


GREY = {
    "grey": lambda: ("PNG", Pillow.new("L", (96, 80), 128), linear_grey()),
    "grey JPEG": lambda: ("JPEG", Pillow.new("L", (96, 80), 128), linear_grey()),
    "grey with alpha": lambda: ("PNG", Pillow.new("LA", (96, 80), (128, 255)), linear_grey()),
    "grey of 16 bits": lambda: ("PNG", Pillow.new("I;16", (96, 80), 128 * 257), linear_grey()),
    "grey with a profile for RGB": lambda: ("JPEG", Pillow.new("L", (96, 80), 128), linear_rgb()),
    "RGB": lambda: ("WEBP", Pillow.new("RGB", (96, 80), (128,) * 3), linear_rgb()),
    "RGB JPEG": lambda: ("JPEG", Pillow.new("RGB", (96, 80), (128,) * 3), linear_rgb()),
    "RGB with alpha": lambda: ("PNG", Pillow.new("RGBA", (96, 80), (128, 128, 128, 255)), linear_rgb()),
    "a palette": lambda: ("PNG", Pillow.new("RGB", (96, 80), (128,) * 3).quantize(4), linear_rgb()),
}


@pytest.mark.parametrize("name", GREY)
def test_the_tones_of_a_profile_are_kept(member, make_image, name):
    encoding, picture, profile = GREY[name]()
    data, media_type = encoded(picture, encoding, icc_profile=profile), f"image/{encoding.lower()}"
    image = make_image(data=data, media_type=media_type)
    made = {
        "upload": storage_client.read(save_upload(member, data).key),
        "thumbnail": thumbnails.get_or_make(image, "small"),
        "download": imaging_convert.convert(
            image, data, OutputFormat("webp" if encoding == "PNG" else "png")
        ),
    }
    for way, file in made.items():
        assert grey_of(decoded(file)) == pytest.approx(LINEAR_128, abs=3), way


def test_the_tones_of_a_profile_larger_than_a_megabyte_are_kept(member):
    data = with_large_profile(linear_grey(), Pillow.new("L", (96, 80), 128))
    kept = decoded(storage_client.read(save_upload(member, data).key))
    assert grey_of(kept) == pytest.approx(LINEAR_128, abs=3)


@pytest.mark.parametrize("size", [(96, 80), (4_800, 80)])  # the larger one is reduced
def test_the_colors_of_a_profile_for_cmyk_are_kept(member, make_image, size):
    data = encoded(Pillow.new("CMYK", size, (255, 0, 0, 0)), "JPEG", icc_profile=printed_cmyk())
    image = make_image(data=data, media_type="image/jpeg")
    made = {
        "upload": storage_client.read(save_upload(member, data).key),
        "thumbnail": thumbnails.get_or_make(image, "small"),
        "download": imaging_convert.convert(image, data, OutputFormat("png")),
    }
    for way, file in made.items():
        red, green, blue = decoded(file).convert("RGB").getpixel((30, 30 if way != "thumbnail" else 3))
        assert (red < 60, 120 < green < 175, 180 < blue < 235) == (True, True, True), way


def test_transparency_stays_beside_a_profile(make_image):
    half = Pillow.new("LA", (96, 80), (128, 100))
    thumbnail = thumbnail_of(make_image, encoded(half, icc_profile=linear_grey()), "image/png")
    assert thumbnail.mode == "RGBA"
    assert thumbnail.getpixel((40, 40))[3] == 100
    keyed = Pillow.new("L", (96, 80), 128)
    thumbnail = thumbnail_of(make_image, encoded(keyed, transparency=128), "image/png")
    assert thumbnail.convert("RGBA").getpixel((40, 40))[3] == 0


@pytest.mark.parametrize("profile", [b"rubbish", linear_rgb()[:200], printed_cmyk()])
def test_a_profile_that_cannot_be_used_is_ignored(member, profile):
    data = encoded(Pillow.new("L", (96, 80), 128), icc_profile=profile)
    assert grey_of(decoded(storage_client.read(save_upload(member, data).key))) == 128


# Large results ------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(6_600, 6_600), (20_000, 2_100), (8_000, 8_000)])
def test_what_a_provider_may_send_has_a_thumbnail_and_is_converted(member, make_image, size):
    data = encoded(Pillow.new("L", size, 200))
    assert media_check.validate_image(data).width == size[0]
    image = make_image(data=data)
    assert decoded(thumbnails.get_or_make(image, "large")).width == 800
    made = imaging_convert.convert(image, data, OutputFormat("jpeg"))
    assert decoded(made).size == size
    start = input_images.from_image(member=member, image=image)
    assert (start.width, start.height) < size


def test_an_upload_of_that_size_is_still_refused(member):
    with pytest.raises(input_images.BadUpload, match="too many pixels"):
        save_upload(member, encoded(Pillow.new("L", (6_600, 6_600)), "JPEG"))


def test_a_stored_picture_larger_than_the_last_size_has_no_thumbnail(make_image):
    image = make_image(data=encoded(Pillow.new("1", (8_001, 8_000))))
    with pytest.raises(imaging_decode.Unreadable):
        thumbnails.get_or_make(image, "large")


def test_a_stored_image_of_any_size_can_be_a_start_image(member, make_image):
    noise = Pillow.effect_noise((2_400, 2_400), 200)
    data = encoded(Pillow.merge("RGB", [noise, noise.rotate(90), noise.rotate(180)]))
    assert len(data) > input_images.MAX_FILE_SIZE
    assert input_images.from_image(member=member, image=make_image(data=data)).width == 2_400


def test_layers_of_a_jpeg_are_counted_in_the_picture_alone():
    data = encoded(pixels(), "JPEG", progressive=True)
    segments = image_containers.jpeg_segments(data)
    *_others, (_marker, start, end) = (each for each in segments if each[0] == image_containers.JPEG_SCAN)
    layered = data[:end] + data[start:end] * 80 + data[end:]
    too_many = pytest.raises(imaging_decode.Unreadable, match="too many layers")
    with too_many, imaging_decode.open_image(layered):
        pass
    with imaging_decode.open_image(data + data[start:end] * 80):
        pass


def test_png_metadata_is_not_needed():
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "hello")
    data = encoded(pixels(), pnginfo=texts)
    assert decoded(image_containers.decodable(data)).tobytes() == decoded(data).tobytes()
