"""Every kind of result, wherever a picture can be: pages, selection, trash, links, zips, the API."""

import io
import zipfile

import pytest

from generations.library.archives import service as archives_service
from generations.library.delivery import thumbnails
from generations.library.imaging import convert as imaging_convert
from generations.library.imaging.convert import NotConverted, OutputFormat
from generations.library.models import Image, ImageTag
from generations.library.organise import service as organise_service
from generations.library.sharing import service as sharing_service
from generations.library.sharing.service import Options
from generations.teams.models import Visibility
from tests.api.client import ApiClient
from tests.library.conftest import address, decoded, encoded, pixels
from tests.library.delivery.test_other_media import DEEP, PSD, SVG, gif, webp
from tests.library.share_links import path_of
from tests.markup import compact

pytestmark = pytest.mark.django_db
TEXT = "Two boats in a quiet harbour, and a <b>gull</b>."
FILES = {
    "image": ("image/png", encoded(pixels())),
    "gif that moves": ("image/gif", gif(3)),
    "webp that moves": ("image/webp", webp(3)),
    "avif": ("image/avif", encoded(pixels(), "AVIF")),
    "svg": ("image/svg+xml", SVG),
    "svg out of bounds": ("image/svg+xml", DEEP),
    "text": ("text/plain", TEXT.encode()),
    "file": ("image/x-psd", PSD),
}
# What a tile shows of each.
SHOWN = {
    "image": 'class="sharp"',
    "gif that moves": "It moves",
    "webp that moves": "It moves",
    "avif": 'class="sharp"',
    "svg": ">SVG<",
    "svg out of bounds": "<strong>SVG</strong>",
    "text": "Two boats in a quiet harbour, and a &lt;b&gt;gull&lt;/b&gt;.",
    "file": "<strong>PSD</strong>",
}


@pytest.fixture(params=FILES)
def kind(request):
    return request.param


@pytest.fixture
def image(make_image, kind):
    media_type, data = FILES[kind]
    return make_image(media_type=media_type, data=data, prompt="a sign")


def page(client, path):
    response = client.get(path)
    assert response.status_code == 200, path
    return compact(response.content.decode())


def test_the_library_and_the_trash_show_a_tile_of_each_kind(sign_in, member, image, kind):
    client = sign_in(member)
    assert SHOWN[kind] in page(client, address("grid", member))
    picture = page(client, f"/t/{member.team.slug}/picture/{image.pk}/")
    assert 'width="0"' not in picture
    assert f"download/{image.pk}" in picture or f"{image.pk}/download" in picture
    client.post(address("deed", member), {"act": "tag", "image": [str(image.pk)], "tag": "hero"})
    assert ImageTag.objects.filter(image=image, tag__name="hero").exists()
    client.post(address("deed", member), {"act": "trash", "image": [str(image.pk)]})
    image.refresh_from_db()
    assert image.trashed_at
    assert SHOWN[kind] in page(client, address("trash", member))


@pytest.mark.parametrize("size", thumbnails.WIDTHS)
def test_each_kind_has_a_thumbnail(image, size):
    assert max(decoded(thumbnails.get_or_make(image, size)).size) > 50


@pytest.mark.parametrize("shows_prompt", [True, False])
def test_a_link_shows_each_kind_alone_and_in_a_collection(visitor, member, image, kind, shows_prompt):
    share = sharing_service.share_image(
        member=member, image=image.pk, options=Options(shows_prompt=shows_prompt)
    )
    alone = page(visitor, path_of(share))
    collection = organise_service.create_collection(member=member, name="Spring", visibility=Visibility.TEAM)
    organise_service.add_to_collection(member=member, images=[image.pk], collection=collection.pk)
    share = sharing_service.share_collection(
        member=member, collection=collection.pk, options=Options(shows_prompt=shows_prompt)
    )
    assert SHOWN[kind] in page(visitor, path_of(share))
    if kind in {"text", "file", "svg out of bounds"}:
        assert SHOWN[kind] in alone
    assert ("a sign" in alone) == shows_prompt


@pytest.mark.parametrize("output", ["original", "png", "webp", "stored"])
def test_a_zip_has_each_kind_in_the_format_that_it_can_have(sign_in, member, make_image, output):
    images = [make_image(media_type=media_type, data=data) for media_type, data in FILES.values()]
    archive = archives_service.create(
        member=member, images=[image.pk for image in images], output=OutputFormat(output, False)
    )
    answer = sign_in(member).get(address("archive_file", member, archive.pk))
    zipped = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    files = {name: zipped.read(name) for name in zipped.namelist()}
    assert zipped.testzip() is None
    assert len(files) == len(FILES)
    endings = sorted(name.rpartition(".")[2] for name in files)
    kept = {"png": ["avif", "gif", "png", "png", "psd", "svg", "txt", "webp"]}
    kept |= {"webp": ["avif", "gif", "psd", "svg", "svg", "txt", "webp", "webp"]}
    assert endings == kept.get(output, ["avif", "gif", "png", "psd", "svg", "svg", "txt", "webp"])
    for name in ("gif that moves", "text", "file", "svg out of bounds"):
        assert FILES[name][1] in files.values()


def test_the_api_lists_each_kind(member, image, kind):
    api = ApiClient(member)
    [listed] = api.get("/images").json()["items"]
    assert (listed["id"], listed["media_type"]) == (str(image.pk), FILES[kind][0])
    assert api.get(f"/images/{image.pk}").status_code == 200
    assert api.get(f"/images/{image.pk}/download").status_code == 200
    assert api.get(f"/images/{image.pk}/thumbnail").status_code == 200


def test_a_drawing_is_downloaded_as_it_is_or_as_a_picture_of_it(sign_in, member, make_image):
    image = make_image(media_type="image/svg+xml", data=SVG, prompt="a sign")
    client, path = sign_in(member), address("download", member, image.pk)
    offered = page(client, f"/t/{member.team.slug}/picture/{image.pk}/")
    assert "format=png" in offered
    assert "format=jpeg" not in offered
    assert client.get(path).content == SVG
    answer = client.get(f"{path}?format=png&parameters=1")
    assert answer["Content-Type"] == "image/png"
    assert '.png"' in answer["Content-Disposition"]
    drawn = decoded(answer.content)
    assert drawn.size == (2048, 1024)
    assert drawn.convert("RGBA").getpixel((500, 500)) == (255, 0, 0, 255)
    assert drawn.convert("RGBA").getpixel((1500, 500))[3] == 0
    assert drawn.text["parameters"].startswith("a sign")
    assert "parameters" not in decoded(client.get(f"{path}?format=png&parameters=0").content).text


def test_a_drawing_that_cannot_be_drawn_is_said_to_be(sign_in, member, make_image):
    image = make_image(media_type="image/svg+xml", data=DEEP)
    answer = sign_in(member).get(f"{address('download', member, image.pk)}?format=png")
    assert answer.status_code == 422
    assert "take the original" in answer.content.decode()
    with pytest.raises(NotConverted):
        imaging_convert.convert(image, DEEP, OutputFormat("png"))


def test_each_kind_is_found_by_its_words_alone(sign_in, member, make_image):
    for media_type, data in FILES.values():
        make_image(media_type=media_type, data=data, prompt="a sign")
    found = sign_in(member).get(f"{address('grid', member)}?q=gull").context["days"]
    assert [image.kind for _day, images in found for image in images] == ["text"]
    assert Image.objects.count() == len(FILES)
