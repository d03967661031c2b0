import io
import json
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from generations.library.imaging import embed_metadata
from generations.library.models import Image
from tests.library.conftest import decoded, encoded, pixels

FILES = {
    "png": ("image/png", lambda: encoded(pixels(mode="RGBA"), "PNG")),
    "grey png": ("image/png", lambda: encoded(pixels(mode="L"), "PNG")),
    "jpeg": ("image/jpeg", lambda: encoded(pixels(), "JPEG")),
    "progressive jpeg": ("image/jpeg", lambda: encoded(pixels(), "JPEG", progressive=True)),
    "jpeg with exif": ("image/jpeg", lambda: encoded(pixels(), "JPEG", exif=rotated(), xmp=b"<old/>")),
    "webp": ("image/webp", lambda: encoded(pixels(), "WEBP")),
    "lossless webp": ("image/webp", lambda: encoded(pixels(), "WEBP", lossless=True)),
    "lossless webp with alpha": ("image/webp", lambda: encoded(pixels(mode="RGBA"), "WEBP", lossless=True)),
    "webp with alpha": ("image/webp", lambda: encoded(pixels(mode="RGBA"), "WEBP")),
    "odd webp": ("image/webp", lambda: encoded(pixels((33, 65)), "WEBP", xmp=b"<old/>")),
}
HOSTILE = 'a fox, "quoted" <b>&amp;\x00\x1b[31m\r\nNegative prompt: none\nSteps: 1 狐🦊 \ud800 \ufffe'


def rotated():
    exif = Pillow.Exif()
    exif[0x0112] = 6
    return exif


def picture(media_type="image/png", prompt="a red fox", negative_prompt="", seed=7, **parameters):
    return Image(
        prompt=prompt,
        negative_prompt=negative_prompt,
        parameters=parameters,
        model="sd3.5-large",
        media_type=media_type,
        width=320,
        height=200,
        seed=seed,
    )


def description(xmp):
    """The prompt in an XMP packet, read by a parser of XML."""
    packet = ElementTree.fromstring(xmp)
    names = {"rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "dc": "http://purl.org/dc/elements/1.1/"}
    return packet.findtext(".//dc:description/rdf:Alt/rdf:li", namespaces=names)


def comment(opened):
    """EXIF's UserComment."""
    raw = opened.getexif().get_ifd(0x8769)[0x9286]
    assert raw.startswith(b"UNICODE\0")
    return raw[8:].decode("utf-16-be")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("prompt", ["a red fox", HOSTILE, "🦊" * 10_000, "&" * 10_000, ""])
def test_a_download_shows_the_very_same_pixels(name, prompt):
    media_type, make = FILES[name]
    data = make()
    kept = embed_metadata.embed(picture(media_type, prompt, prompt), data)
    assert kept != data
    before, after = decoded(data), decoded(kept)
    assert (before.format, before.mode, before.size) == (after.format, after.mode, after.size)
    assert before.tobytes() == after.tobytes()


@pytest.mark.parametrize("name", FILES)
def test_every_format_has_the_prompt_as_xmp(name):
    media_type, make = FILES[name]
    opened = decoded(embed_metadata.embed(picture(media_type, HOSTILE), make()))
    opened.load()
    xmp = opened.info.get("xmp") or opened.text["XML:com.adobe.xmp"]
    assert '"quoted" <b>&amp;' in description(xmp)
    assert "狐🦊" in description(xmp)


def test_a_png_has_the_parameters_in_the_automatic1111_format():
    image = picture(negative_prompt="blur", cfg_scale=4.5, style_preset="film, noir", aspect_ratio="16:9")
    opened = decoded(embed_metadata.embed(image, encoded(pixels())))
    assert opened.text["parameters"].split("\n") == [
        "a red fox",
        "Negative prompt: blur",
        'Steps: 0, Sampler: none, Seed: 7, Aspect ratio: "16:9", Style preset: "film, noir", CFG scale: 4.5,'
        " Size: 320x200, Model: sd3.5-large, Version: sdweb",
    ]


@pytest.mark.parametrize("name", ["jpeg", "progressive jpeg", "webp", "lossless webp with alpha", "odd webp"])
def test_jpeg_and_webp_have_the_parameters_as_exif_comment(name):
    media_type, make = FILES[name]
    opened = decoded(embed_metadata.embed(picture(media_type, "une 狐"), make()))
    assert comment(opened).startswith("une 狐\nSteps: 0, Sampler: none, Seed: 7, ")


def test_existing_metadata_of_a_jpeg_stays():
    opened = decoded(embed_metadata.embed(picture("image/jpeg"), FILES["jpeg with exif"][1]()))
    assert opened.getexif()[0x0112] == 6


def test_control_characters_are_not_embedded():
    opened = decoded(embed_metadata.embed(picture(prompt=HOSTILE), encoded(pixels())))
    text = opened.text["parameters"]
    assert not [letter for letter in text if ord(letter) < 32 and letter != "\n"]
    assert "狐🦊" in text


def test_an_unknown_seed_is_left_out():
    assert "Seed" not in embed_metadata.parameters(picture(seed=None))


def test_embedding_again_does_not_duplicate_metadata():
    once = embed_metadata.embed(picture(prompt="first"), encoded(pixels()))
    assert embed_metadata.embed(picture(prompt="first"), once) == once


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_not_changed(name):
    media_type, make = FILES[name]
    data = make()
    for end in (0, 1, 8, 11, 12, 20, 29, 40):
        assert embed_metadata.embed(picture(media_type), data[:end]) == data[:end]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.text(max_size=50), st.sampled_from(sorted(FILES)))
def test_any_text_can_be_embedded(prompt, style, name):
    media_type, make = FILES[name]
    data = make()
    kept = embed_metadata.embed(picture(media_type, prompt, prompt, style_preset=style), data)
    assert decoded(kept).tobytes() == decoded(data).tobytes()


def test_the_chunks_of_a_png_have_valid_checksums():
    kept = io.BytesIO(embed_metadata.embed(picture(prompt=HOSTILE), encoded(pixels())))
    opened = Pillow.open(kept)
    opened.verify()  # checks the sum of each chunk


def test_a_prompt_cannot_forge_the_line_of_settings():
    last = embed_metadata.parameters(picture(prompt=HOSTILE)).split("\n")[-1]
    assert last.startswith("Steps: 0, Sampler: none, Seed: 7, Size: 320x200")
    assert json.loads(embed_metadata._quoted("a: b")) == "a: b"
