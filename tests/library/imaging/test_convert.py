"""Downloads of one picture in every format, with and without parameters."""

import io

import pytest
from PIL import Image as Pillow
from PIL import ImageCms, PngImagePlugin

from generations.library.imaging import containers, strip_metadata
from generations.library.imaging import convert as imaging_convert
from generations.library.imaging.convert import OutputFormat
from generations.library.storage import client as storage_client
from tests.library.conftest import FORMATS, decoded, encoded, pixels
from tests.library.delivery.test_views import address
from tests.library.imaging.test_embed_metadata import comment, description

SECRET = b"provider-secret-words"
XMP = {"xmp", "XML:com.adobe.xmp"}
TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}


def rotated():
    exif = Pillow.Exif()
    exif[0x0112] = 6
    exif[0x010E] = SECRET.decode()
    return exif


def with_metadata(media_type, *, upright=False):
    """A picture into which a provider wrote all that the format has room for."""
    told, profile = SECRET.decode(), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = rotated()
    if upright:
        del exif[0x0112]
    every = {"exif": exif, "icc_profile": profile}
    if media_type == "image/png":
        texts = PngImagePlugin.PngInfo()
        texts.add_text("parameters", told)
        texts.add_text("Comment", told, zip=True)
        texts.add_itxt("XML:com.adobe.xmp", told)
        texts.add(b"caBX", SECRET)
        texts.add(b"teXt", SECRET)  # nobody knows what it is for
        return encoded(pixels(), "PNG", pnginfo=texts, dpi=(72, 72), **every)
    if media_type == "image/jpeg":
        data = encoded(pixels(), "JPEG", comment=told, xmp=SECRET, progressive=True, **every)
        iptc = b"\xff\xed" + (2 + len(SECRET)).to_bytes(2, "big") + SECRET
        return data[:2] + iptc + data[2:] + SECRET  # and something behind the picture's end
    data = encoded(pixels(), "WEBP", xmp=SECRET, **every)
    body = data[8:] + b"C2PA" + (len(SECRET)).to_bytes(4, "little") + SECRET + b"\0" * (len(SECRET) % 2)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def parameters_in(picture):
    """The parameters that a file carries, where its format has them."""
    return picture.text["parameters"] if picture.format == "PNG" else comment(picture)


@pytest.mark.parametrize("wanted", TYPES)
@pytest.mark.parametrize("media_type", TYPES.values())
def test_every_format_is_converted_to_every_other_with_its_parameters(
    sign_in, member, make_image, media_type, wanted
):
    image = make_image(media_type=media_type, prompt="a red fox")
    answer = sign_in(member).get(address("download", image, member), {"format": wanted})
    ending = {"jpeg": "jpg"}.get(wanted, wanted)
    assert answer["Content-Disposition"] == f'attachment; filename="a-red-fox-7.{ending}"'
    assert answer["Content-Type"] == TYPES[wanted]
    made, stored = decoded(answer.content), decoded(storage_client.read(image.key))
    assert (made.format, made.size) == (FORMATS[TYPES[wanted]], stored.size)
    assert parameters_in(made).startswith("a red fox\nSteps: 0, Sampler: none, Seed: 7")
    made.load()
    assert description(made.info.get("xmp") or made.text["XML:com.adobe.xmp"]) == "a red fox"
    if media_type == TYPES[wanted] or wanted == "png":
        assert made.convert("RGB").tobytes() == stored.convert("RGB").tobytes()


@pytest.mark.parametrize("media_type", TYPES.values())
def test_without_parameters_only_the_unchanged_pixels_are_left(sign_in, member, make_image, media_type):
    data = with_metadata(media_type)
    image = make_image(media_type=media_type, data=data, prompt="our own secret")
    answer = sign_in(member).get(address("download", image, member), {"parameters": "0"})
    bare = answer.content
    before, after = decoded(data), decoded(bare)
    assert before.tobytes() == after.tobytes()
    assert before.info["icc_profile"] == after.info["icc_profile"]
    assert after.getexif() == {0x0112: 6}  # which way is up is part of the picture
    assert SECRET not in bare
    assert b"secret" not in bare
    assert (
        set(after.info)
        <= {
            "icc_profile",
            "exif",
            "dpi",
            "loop",
            "background",
            "timestamp",
            "duration",
        }
        | {*("jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression")}
        | XMP
    )
    if media_type == "image/png":
        assert set(after.text) == {"XML:com.adobe.xmp"}  # tests/library/imaging/test_provenance.py


@pytest.mark.parametrize("media_type", TYPES.values())
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_a_file_without_metadata_is_not_changed(media_type, mode):
    picture = pixels(mode=mode)
    plain = encoded(picture.convert("RGB") if media_type == "image/jpeg" else picture, FORMATS[media_type])
    assert strip_metadata.strip(plain, media_type) == plain


@pytest.mark.parametrize("media_type", TYPES.values())
def test_embedded_metadata_is_removed_again(media_type, make_image):
    plain = encoded(pixels(), FORMATS[media_type])
    image = make_image(media_type=media_type, data=plain)
    with_parameters = imaging_convert.convert(image, plain, OutputFormat())
    assert b"red fox" in with_parameters.replace(b"\0", b"")
    bare = strip_metadata.strip(with_parameters, media_type)
    assert decoded(bare).tobytes() == decoded(plain).tobytes()
    assert b"red fox" not in bare.replace(b"\0", b"")
    if media_type != "image/webp":  # a header for what was added stays there, empty
        assert bare == plain


@pytest.mark.parametrize("media_type", TYPES.values())
def test_an_upright_file_keeps_no_exif(media_type):
    bare = strip_metadata.strip(with_metadata(media_type, upright=True), media_type)
    assert not decoded(bare).getexif()
    assert b"EXIF" not in bare
    assert b"Exif" not in bare


@pytest.mark.parametrize("media_type", TYPES.values())
def test_a_truncated_file_is_refused(media_type):
    data = with_metadata(media_type)
    for end in (0, 1, 2, 8, 11, 12, 20, 29, 40, len(data) // 3):
        with pytest.raises(containers.UnknownStructure):
            strip_metadata.strip(data[:end], media_type)


def test_the_stored_format_is_byte_for_byte_the_object(sign_in, member, make_image):
    data = with_metadata("image/png")
    image = make_image(data=data)
    assert sign_in(member).get(address("download", image, member), {"format": "stored"}).content == data


def test_transparent_parts_are_white_in_a_jpeg(make_image):
    clear = Pillow.new("RGBA", (64, 64), (200, 0, 0, 0))
    image = make_image(data=encoded(clear))
    made = imaging_convert.convert(image, storage_client.read(image.key), OutputFormat("jpeg"))
    assert min(decoded(made).getpixel((32, 32))) >= 250
    through = decoded(imaging_convert.convert(image, storage_client.read(image.key), OutputFormat("webp")))
    assert through.convert("RGBA").getpixel((32, 32)) == (200, 0, 0, 0)


def test_a_converted_file_is_in_srgb(make_image):
    green = Pillow.new("RGB", (64, 64), (0, 255, 0))
    swapped = ImageCms.createProfile("LAB")  # no profile for RGB: it is ignored rather than a failure
    odd = encoded(green, icc_profile=ImageCms.ImageCmsProfile(swapped).tobytes())
    image = make_image(data=odd)
    made = decoded(imaging_convert.convert(image, odd, OutputFormat("webp", with_parameters=False)))
    assert "icc_profile" not in made.info
    assert made.convert("RGB").getpixel((3, 3))[1] > 240


def test_a_converted_file_is_upright(make_image):
    data = encoded(pixels((320, 200)), "JPEG", exif=rotated())
    image = make_image(media_type="image/jpeg", data=data)
    made = decoded(imaging_convert.convert(image, data, OutputFormat("png", with_parameters=False)))
    assert made.size == (200, 320)
    assert not made.getexif()
    assert set(made.text) == {"XML:com.adobe.xmp"}


def test_16_bit_grey_is_converted_to_8_bits(make_image):
    grey = Pillow.frombytes("I;16", (64, 64), (40_000).to_bytes(2, "little") * 64 * 64)
    image = make_image(data=encoded(grey))
    made = decoded(imaging_convert.convert(image, storage_client.read(image.key), OutputFormat("jpeg")))
    assert made.getpixel((5, 5))[0] == pytest.approx(156, abs=2)


@pytest.mark.parametrize(
    "query",
    [
        {"format": "gif"},
        {"format": ""},
        {"format": "PNG\0"},
        {"parameters": "2"},
        {"parameters": "yes"},
        {"format": "x" * 10_000},
    ],
)
def test_an_unknown_format_is_not_found(sign_in, member, make_image, query):
    assert sign_in(member).get(address("download", make_image(), member), query).status_code == 404


def test_a_picture_that_cannot_be_decoded_is_refused_with_a_sentence(sign_in, member, make_image):
    image = make_image()
    storage_client.put(image.key, b"\x89PNG\r\n\x1a\n" + b"rubbish" * 20, media_type="image/png")
    for query in ({"format": "jpeg"}, {"parameters": "0"}):
        answer = sign_in(member).get(address("download", image, member), query)
        assert answer.status_code == 422
        assert answer["Content-Type"] == "text/plain"
        assert answer.content


def test_a_picture_too_large_to_decode_is_not_converted(sign_in, member, make_image):
    huge = io.BytesIO()
    Pillow.new("1", (16_384, 16_384)).save(huge, "PNG")
    image = make_image()
    storage_client.put(image.key, huge.getvalue(), media_type="image/png")
    assert sign_in(member).get(address("download", image, member), {"format": "webp"}).status_code == 422
