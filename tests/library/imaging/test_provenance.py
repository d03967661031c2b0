"""Where a picture came from: C2PA manifests stay whole, and every other file says that a model made it."""

import io
import re
import uuid
import zipfile

import pytest
from django.urls import reverse

from generations.library.archives import service as archives_service
from generations.library.imaging import provenance
from generations.library.imaging.convert import OutputFormat
from generations.library.models import Image, Origin
from generations.library.sharing import service as sharing_service
from generations.library.sharing.service import Options
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from tests.library.conftest import FORMATS, decoded, encoded, pixels
from tests.library.delivery.test_views import address
from tests.library.imaging.c2pa_signing import sign, validation_state
from tests.library.share_links import path_of

TYPES = list(FORMATS)
SOURCE_TYPE = re.compile(rb"<Iptc4xmpExt:DigitalSourceType>(.*?)</Iptc4xmpExt:DigitalSourceType>")
VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
PROMPT = "a red fox, über den Zaun"


def signed(media_type, data=None, **more):
    return sign(data or encoded(pixels(), FORMATS[media_type]), media_type, **more)


def source_types(data):
    """The digital source types in the XMP packets of a file."""
    return [found.decode().removeprefix(VOCABULARY) for found in SOURCE_TYPE.findall(data)]


@pytest.fixture
def every_way(sign_in, member, visitor):
    """All ways by which a file leaves the portal in its own format, by name: its bytes."""

    def files(image):
        shown = sharing_service.share_image(member=member, image=image.pk, options=Options(shows_prompt=True))
        hidden = sharing_service.share_image(member=member, image=image.pk)
        client, path = sign_in(member), address("download", image, member)
        ways = {
            "original": client.get(address("original", image, member)).getvalue(),
            "download": client.get(path).content,
            "without parameters": client.get(path, {"parameters": "0"}).content,
            "stored": client.get(path, {"format": "stored"}).content,
            "shared with prompt": visitor.get(path_of(shown, image.pk, "download")).content,
            "shared": visitor.get(path_of(hidden, image.pk, "download")).content,
            "shared, to be shown": visitor.get(path_of(hidden, image.pk, "original")).content,
        }
        for parameters in (True, False):
            zipped = zip_of(client, member, image, OutputFormat(with_parameters=parameters))
            ways[f"zip, parameters {parameters}"] = zipped.read(zipped.namelist()[0])
        return ways

    return files


def zip_of(client, member, image, output):
    archive = archives_service.create(member=member, images=[image.pk], output=output)
    answer = client.get(reverse("library:archive_file", args=[member.team.slug, archive.pk]))
    return zipfile.ZipFile(io.BytesIO(answer.getvalue()))


# Signed files ---------------------------------------------------------------------------


@pytest.mark.parametrize("media_type", TYPES)
def test_the_validator_notices_a_changed_file(media_type):
    whole = signed(media_type)
    assert validation_state(whole, media_type) == "Valid"
    assert validation_state(encoded(pixels(), FORMATS[media_type]), media_type) is None
    changed = bytearray(whole)
    changed[-40] ^= 1
    with pytest.raises(AssertionError):
        assert validation_state(bytes(changed), media_type) == "Valid"


@pytest.mark.parametrize("media_type", TYPES)
def test_a_signed_file_leaves_in_every_way_as_it_came(every_way, make_image, media_type):
    data = signed(media_type)
    image = make_image(media_type=media_type, data=data, prompt=PROMPT, negative_prompt="blur")
    for way, file in every_way(image).items():
        assert validation_state(file, media_type) == "Valid", way
        assert file == data, way


@pytest.mark.parametrize("media_type", TYPES)
def test_the_parameters_of_a_signed_file_are_beside_it_in_a_zip(sign_in, member, make_image, media_type):
    image = make_image(media_type=media_type, data=signed(media_type), prompt=PROMPT)
    client, ending = sign_in(member), storage_keys.EXTENSIONS[media_type]
    zipped = zip_of(client, member, image, OutputFormat())
    name = f"a-red-fox-über-den-zaun-7.{ending}"
    assert zipped.namelist() == [name, f"{name}.txt"]
    text = zipped.read(f"{name}.txt").decode()
    assert text.startswith(f"{PROMPT}\nSteps: 0, Sampler: none, Seed: 7, ")
    for output in (OutputFormat(with_parameters=False), OutputFormat("stored")):
        assert zip_of(client, member, image, output).namelist() == [name]
    unsigned = make_image(media_type=media_type, prompt=PROMPT)
    assert len(zip_of(client, member, unsigned, OutputFormat()).namelist()) == 1


@pytest.mark.parametrize("media_type", TYPES)
def test_a_signed_file_in_another_format_says_that_a_model_made_it(sign_in, member, make_image, media_type):
    image = make_image(media_type=media_type, data=signed(media_type))
    other = next(name for name in ("png", "jpeg", "webp") if media_type != f"image/{name}")
    for parameters in "01":
        query = {"format": other, "parameters": parameters}
        file = sign_in(member).get(address("download", image, member), query).content
        assert source_types(file) == ["trainedAlgorithmicMedia"]
        assert validation_state(file, f"image/{other}") is None


@pytest.mark.parametrize("media_type", TYPES)
@pytest.mark.parametrize("told", [PROMPT, "Steps: 30, Sampler: k_euler, Seed: 12"])
def test_a_signed_file_that_tells_the_prompt_is_not_shared_as_it_came(
    every_way, make_image, media_type, told
):
    data = signed(media_type, description=told)
    image = make_image(media_type=media_type, data=data, prompt=PROMPT)
    ways = every_way(image)
    for way in ("without parameters", "shared", "shared, to be shown", "zip, parameters False"):
        assert told.encode() not in ways[way], way
        assert source_types(ways[way]) == ["trainedAlgorithmicMedia"], way
        assert decoded(ways[way]).tobytes() == decoded(data).tobytes(), way
    assert ways["download"] == ways["original"] == data


@pytest.mark.parametrize("media_type", TYPES)
@pytest.mark.parametrize("kind", ["text", "exif", "xmp"])
def test_a_signed_file_with_the_prompt_in_other_metadata_is_not_shared_as_it_came(
    every_way, make_image, media_type, kind
):
    data = signed(media_type, with_prompt(media_type, kind, PROMPT))
    assert provenance.has_manifest(data, media_type)
    ways = every_way(make_image(media_type=media_type, data=data, prompt=PROMPT))
    for way in ("without parameters", "shared", "shared, to be shown", "zip, parameters False"):
        assert validation_state(ways[way], media_type) is None, way
        assert source_types(ways[way]) == ["trainedAlgorithmicMedia"], way
    assert ways["download"] == data


def with_prompt(media_type, kind, prompt):
    """A file that a provider wrote a prompt into: as text, as EXIF UserComment in UTF-16, or as XMP."""
    from PIL import Image as Pillow  # noqa: PLC0415
    from PIL import PngImagePlugin  # noqa: PLC0415

    exif = Pillow.Exif()
    if kind == "exif":
        exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + prompt.encode("utf-16-be")
    elif kind == "text":
        exif[0x010E] = prompt
    xmp = f"<x:xmpmeta>{prompt}</x:xmpmeta>".encode() if kind == "xmp" else b""
    if media_type != "image/png":
        return encoded(pixels(), FORMATS[media_type], exif=exif, xmp=xmp)
    texts = PngImagePlugin.PngInfo()
    if kind == "text":
        texts.add_text("Description", prompt, zip=True)
    if kind == "xmp":
        texts.add_itxt("XML:com.adobe.xmp", xmp.decode(), zip=True)
    return encoded(pixels(), "PNG", pnginfo=texts, exif=exif.tobytes())


@pytest.mark.parametrize("media_type", TYPES)
def test_a_file_with_a_manifest_that_is_kept_elsewhere_is_not_changed(every_way, make_image, media_type):
    packet = "<x:xmpmeta dcterms:provenance='https://provider.example/manifest'/>"
    data = with_prompt(media_type, "xmp", packet)
    for way, file in every_way(make_image(media_type=media_type, data=data, prompt=PROMPT)).items():
        assert file == data, way


# Files without a signature --------------------------------------------------------------


@pytest.mark.parametrize("media_type", TYPES)
def test_a_file_that_was_not_signed_says_that_a_model_made_it(every_way, make_image, media_type):
    for way, file in every_way(make_image(media_type=media_type)).items():
        expected = [] if way in {"original", "stored"} else ["trainedAlgorithmicMedia"]
        assert source_types(file) == expected, way


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        ({"model": "core"}, "trainedAlgorithmicMedia"),
        ({"model": "no more there"}, "trainedAlgorithmicMedia"),
        ({"model": "erase"}, "compositeWithTrainedAlgorithmicMedia"),
        ({"model": "upscale-fast"}, "compositeWithTrainedAlgorithmicMedia"),
        ({"model": "core", "is_composite": True}, "compositeWithTrainedAlgorithmicMedia"),
        ({"model": "core", "parent_id": uuid.uuid4()}, "compositeWithTrainedAlgorithmicMedia"),
        ({"model": "core", "parameters": {"strength": 0.5}}, "compositeWithTrainedAlgorithmicMedia"),
        ({"model": "erase", "origin": "uploaded"}, ""),
    ],
)
def test_an_edit_and_what_was_made_from_another_picture_is_a_composite(of, expected):
    assert provenance.digital_source_type(Image(**of)).rpartition("/")[2] == expected


@pytest.mark.parametrize("media_type", TYPES)
def test_a_picture_made_from_a_start_image_is_a_composite(every_way, make_image, media_type):
    for way, file in every_way(make_image(media_type=media_type, strength=0.6)).items():
        expected = [] if way in {"original", "stored"} else ["compositeWithTrainedAlgorithmicMedia"]
        assert source_types(file) == expected, way


@pytest.mark.parametrize("origin", [Origin.UPLOADED, Origin.IMPORTED])
@pytest.mark.parametrize("media_type", TYPES)
def test_nothing_is_said_of_a_picture_that_a_person_brought(
    every_way, sign_in, member, make_image, media_type, origin
):
    image = make_image(media_type=media_type, prompt="")
    type(image).objects.filter(pk=image.pk).update(origin=origin)
    stored = storage_client.read(image.key)
    for way, file in every_way(image).items():
        assert file == stored, way
    for name in ("png", "jpeg", "webp"):
        for parameters in "01":
            query = {"format": name, "parameters": parameters}
            file = sign_in(member).get(address("download", image, member), query).content
            assert source_types(file) == []
            assert b"sdweb" not in file
