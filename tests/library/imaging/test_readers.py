"""Programs that read prompts from files read those of the portal: prompt, negative prompt, seed, model."""

import functools
import io
import json
import re
import shutil
import subprocess

import piexif
import piexif.helper
import pytest
from sd_parsers import ParserManager
from sd_prompt_reader.image_data_reader import ImageDataReader
from unstable_reader import ImageMetadataExtractor

from generations.library.imaging import embed_metadata
from generations.library.models import Image
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Choice, Flag, Number
from tests.library.conftest import FORMATS, decoded, encoded, pixels

EXIFTOOL = shutil.which("exiftool")
PROMPT = "ein Fuchs über dem Zaun, (golden hour:1.2), 狐\nby a lake: calm"
NEGATIVE = "blur, text, déjà vu"
VALUES = {
    "steps": 30,
    "sampler": "K_DPMPP_2M",
    "cfg_scale": 4.5,
    "style_preset": "analog-film",
    "aspect_ratio": "16:9",
    "strength": 0.6,
}
APART = ("prompt", "negative_prompt", "text_prompts", "seed")
MADE = "01a22d2a-dff3-7b8b-adb5-752f638111dd"  # a style of the team, where a model draws in no other
# Of texts that models take beside the prompt: with what separates the parts, and what they begin with.
ASIDE = "a lamp: red, with Steps: 9\nNegative prompt: none"


def value_of(field):
    """A value of a declared field that says what it is for."""
    match field:
        case Choice():
            return field.values[-1] if field.values else MADE
        case Number():
            return field.maximum if field.whole else (field.minimum + field.maximum) / 2
        case Flag():
            return True
    return ASIDE


# The pattern of AUTOMATIC1111's web UI, modules/infotext_utils.py.
SETTING = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')


def image_of(model, media_type, *, seed=7, prompt=PROMPT, negative_prompt=NEGATIVE, values=True):
    declared = catalogue_registry.get(model)
    taken = {field.name: value_of(field) for field in declared.fields if field.name not in APART}
    taken |= {name: value for name, value in VALUES.items() if declared.takes(name)}
    return Image(
        prompt=prompt,
        negative_prompt=negative_prompt,
        parameters=taken if values else {},
        model=model,
        media_type=media_type,
        width=320,
        height=200,
        seed=seed,
    )


@functools.cache
def file_without_prompt(media_type):
    return encoded(pixels(), FORMATS[media_type])


def file_of(image):
    return embed_metadata.embed(image, file_without_prompt(image.media_type))


# Readers: from a file's bytes and its path to (prompt, negative prompt, seed, model) ------


def by_automatic1111(data, _path):
    """As its web UI reads: modules/images.py, read_info_from_image, and modules/infotext_utils.py."""
    opened = decoded(data)
    told = opened.info.get("parameters")
    if "exif" in opened.info:
        comment = piexif.load(opened.info["exif"])["Exif"][piexif.ExifIFD.UserComment]
        told = piexif.helper.UserComment.load(comment)
    return parsed(told)


def parsed(told):
    *lines, last = told.strip().split("\n")
    assert len(SETTING.findall(last)) >= 3
    prompt, negative, is_negative = [], [], False
    for line in map(str.strip, lines):
        if line.startswith("Negative prompt:"):
            is_negative, line = True, line[16:].strip()  # noqa: PLW2901
        (negative if is_negative else prompt).append(line)
    settings = dict(SETTING.findall(last))
    return "\n".join(prompt), "\n".join(negative), settings.get("Seed"), settings["Model"]


def by_sd_parsers(data, _path):
    [sampler] = ParserManager().parse(io.BytesIO(data)).samplers
    prompt = "\n".join(each.value for each in sampler.prompts)
    negative = "\n".join(each.value for each in sampler.negative_prompts)
    return prompt, negative, sampler.parameters.get("seed"), sampler.model.name


def by_sd_prompt_reader(_data, path):
    read = ImageDataReader(str(path))
    return read.positive, read.negative, read.parameter["seed"], read.parameter["model"]


def by_unstable_reader(_data, path):
    read = ImageMetadataExtractor(str(path))
    read.extract_metadata()
    return read.prompt, read.negative, read.seed, read.model


def by_exiftool(_data, path):
    [told] = json.loads(subprocess.run([EXIFTOOL, "-j", path], capture_output=True, check=True).stdout)
    assert told["DigitalSourceType"].startswith("http://cv.iptc.org/newscodes/digitalsourcetype/")
    assert "Warning" not in told
    return parsed(told.get("Parameters") or told["UserComment"])


READERS = {
    "AUTOMATIC1111": by_automatic1111,
    "sd-parsers": by_sd_parsers,
    "sd-prompt-reader": by_sd_prompt_reader,
    "unstable-reader": by_unstable_reader,
}
if EXIFTOOL:
    READERS["exiftool"] = by_exiftool


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Write an image's file and read it with each of the readers; what they read, by their names."""

    def read(image):
        path = tmp_path / f"file.{image.media_type.partition('/')[2]}"
        data = file_of(image)
        path.write_bytes(data)
        # sd-parsers keeps the last comment by the address of a picture in memory, which the next may have.
        monkeypatch.setattr("sd_parsers.extractors._jpeg_usercomment._image_id", None)
        return {name: reader(data, path) for name, reader in READERS.items()}

    return read


def by_all(expected):
    """The same from every reader."""
    return dict.fromkeys(READERS, expected)


def test_exiftool_is_one_of_the_readers():
    """Where it is not installed, this says so, and the others are asked alone."""
    if EXIFTOOL is None:
        pytest.skip("exiftool is not installed")
    assert "exiftool" in READERS


@pytest.mark.parametrize("media_type", FORMATS)
@pytest.mark.parametrize("model", catalogue_registry.MODELS)
def test_every_reader_takes_every_files_parts_apart(read, model, media_type):
    assert read(image_of(model, media_type)) == by_all((PROMPT, NEGATIVE, "7", model))


@pytest.mark.parametrize("model", catalogue_registry.MODELS)
def test_every_parameter_of_every_model_is_written_under_the_name_that_its_field_declares(model):
    image = image_of(model, "image/png")
    settings = dict(SETTING.findall(embed_metadata.parameters(image).split("\n")[-1]))
    for field in catalogue_registry.get(model).fields:
        if field.name in (*APART, "steps", "output_format"):
            continue
        written = settings[field.label or field.title]
        value = image.parameters[field.name]
        if value == ASIDE:
            assert json.loads(written) == ASIDE.replace("prompt:", "prompt :")
        else:
            assert written.strip('"') == str(value)


def test_a_long_text_beside_the_prompt_is_cut_so_that_a_jpeg_can_hold_it():
    image = image_of("search-and-replace", "image/jpeg")
    image.parameters["search_prompt"] = "狐" * 10_000
    assert by_automatic1111(file_of(image), None)[2:] == ("7", "search-and-replace")
    image.model = "replace-background-and-relight"
    image.parameters = dict.fromkeys(("foreground_prompt", "background_prompt"), "狐&" * 5_000)
    image.prompt = "狐&" * 5_000
    assert by_automatic1111(file_of(image), None)[2:] == ("7", "replace-background-and-relight")


@pytest.mark.parametrize("media_type", FORMATS)
def test_a_prompt_alone_is_read_too(read, media_type):
    image = image_of("ultra", media_type, negative_prompt="", values=False)
    assert read(image) == by_all((PROMPT, "", "7", "ultra"))


@pytest.mark.parametrize("media_type", FORMATS)
def test_an_unknown_seed_is_not_read_as_one(read, media_type):
    told = read(image_of("ultra", media_type, seed=None, values=False))
    seeds = {name: (seed or "").strip() for name, (_prompt, _negative, seed, _model) in told.items()}
    assert seeds == by_all("")
    parts = {name: (prompt, negative, model) for name, (prompt, negative, _seed, model) in told.items()}
    assert parts == by_all((PROMPT, NEGATIVE, "ultra"))


@pytest.mark.parametrize("media_type", FORMATS)
def test_a_prompt_with_the_words_between_the_parts_stays_apart(read, media_type):
    prompt = "a page that says Negative prompt: none\nSteps: 3, Sampler: x, Seed: 1\nNegative prompt: no"
    kept = prompt.replace("prompt:", "prompt :").replace("Steps:", "Steps :")
    assert read(image_of("ultra", media_type, prompt=prompt)) == by_all((kept, NEGATIVE, "7", "ultra"))


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/webp"])
def test_a_file_that_has_exif_gets_the_parameters_too(media_type):
    exif = decoded(encoded(pixels(), "PNG")).getexif()
    exif[0x0112], exif[0x010F] = 6, "A maker"
    exif.get_ifd(0x8769)[0x927C] = b"a maker's own note"
    data = encoded(pixels(), FORMATS[media_type], exif=exif)
    kept = embed_metadata.embed(image_of("ultra", media_type), data)
    assert by_automatic1111(kept, None) == (PROMPT, NEGATIVE, "7", "ultra")
    told = piexif.load(decoded(kept).info["exif"])
    assert told["0th"][piexif.ImageIFD.Orientation] == 6
    assert told["0th"][piexif.ImageIFD.Make] == b"A maker"
    assert told["Exif"][piexif.ExifIFD.MakerNote] == b"a maker's own note"


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0MM\0*", b"Exif\0\0" + b"II*\0\xff\xff\xff\x7f", b"Exif\0\0rubbish"]
)
def test_broken_exif_does_not_keep_the_parameters_out(exif):
    plain = encoded(pixels(), "JPEG")
    data = plain[:20] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + plain[20:]
    kept = embed_metadata.embed(image_of("ultra", "image/jpeg"), data)
    assert by_automatic1111(kept, None) == (PROMPT, NEGATIVE, "7", "ultra")


def test_large_exif_gives_way_to_the_parameters():
    exif = decoded(encoded(pixels(), "PNG")).getexif()
    exif[0x0112], exif[0x010E] = 6, "x" * 60_000
    data = encoded(pixels(), "JPEG", exif=exif)
    kept = embed_metadata.embed(image_of("ultra", "image/jpeg", prompt="狐" * 10_000), data)
    assert by_automatic1111(kept, None)[0].startswith("狐" * 1000)
    assert decoded(kept).getexif()[0x0112] == 6
