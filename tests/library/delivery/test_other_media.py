"""GIF, AVIF, SVG and files that are no images: shown as far as it is safe, handed out byte for byte."""

import io

import pytest
from django.test import RequestFactory
from django.urls import reverse
from PIL import Image as Pillow
from PIL import ImageDraw

from generations.library.archives import entries
from generations.library.archives import service as archives_service
from generations.library.delivery import responses as delivery_responses
from generations.library.delivery import thumbnails
from generations.library.imaging import convert as imaging_convert
from generations.library.imaging.convert import NotConverted, OutputFormat
from generations.library.sharing import service as sharing_service
from generations.library.sharing.service import Options
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from generations.library.templatetags import library as library_tags
from generations.providers.transport import media_check
from tests.library.conftest import decoded, encoded, pixels
from tests.library.share_links import path_of

SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20" onload="alert(1)"><script>alert(2)</script>'
    b'<rect width="20" height="20" fill="red"/></svg>'
)
DEEP = b'<svg xmlns="http://www.w3.org/2000/svg">' + b"<g>" * 120 + b"</g>" * 120 + b"</svg>"
PSD = b"8BPS\0\x01" + bytes(3_000_000)


def gif(frames=1):
    """Red on a transparent ground that is black without its transparency; other frames are blue."""
    pictures = [Pillow.new("RGBA", (80, 40)) for _frame in range(frames)]
    for at, picture in enumerate(pictures):
        ImageDraw.Draw(picture).rectangle((0, 0, 39, 39), fill="blue" if at else "red")
    target = io.BytesIO()
    pictures[0].save(target, "GIF", save_all=True, append_images=pictures[1:], disposal=2)
    return target.getvalue()


def webp(frames):
    pictures = [pixels((90, 60), seed=at) for at in range(frames)]
    return encoded(pictures[0], "WEBP", save_all=True, append_images=pictures[1:])


FILES = {
    "gif": ("image/gif", gif()),
    "gif that moves": ("image/gif", gif(3)),
    "avif": ("image/avif", encoded(pixels(), "AVIF")),
    "svg": (media_check.SVG, SVG),
    "svg out of bounds": (media_check.SVG, DEEP),
    "file": ("image/x-psd", PSD),
}
EACH = pytest.mark.parametrize(("media_type", "data"), FILES.values(), ids=FILES)


def address(name, image, member):
    return reverse(f"library:{name}", args=[member.team.slug, image.pk])


@pytest.fixture
def make(make_image):
    return lambda kind, **values: make_image(media_type=FILES[kind][0], data=FILES[kind][1], **values)


def test_every_type_that_is_identified_has_an_extension_and_a_name():
    signatures = (*media_check.IMAGE_SIGNATURES, *media_check.FILE_SIGNATURES)
    for media_type in {media_type for _pattern, media_type in signatures} | {media_check.SVG}:
        assert storage_keys.EXTENSIONS[media_type].isalnum()
        assert storage_keys.type_name(media_type).isalnum()


# Downloads -------------------------------------------------------------------------------


@EACH
@pytest.mark.parametrize("query", ["", "?parameters=0", "?format=stored"])
def test_a_download_is_the_original_byte_for_byte(sign_in, member, make_image, media_type, data, query):
    image = make_image(media_type=media_type, data=data)
    answer = sign_in(member).get(address("download", image, member) + query)
    assert answer.content == data
    assert answer["Content-Type"] == media_type
    extension = storage_keys.EXTENSIONS[media_type]
    assert answer["Content-Disposition"] == f'attachment; filename="a-red-fox-7.{extension}"'
    assert answer["X-Content-Type-Options"] == "nosniff"


@EACH
def test_another_format_is_refused_with_a_sentence(sign_in, member, make_image, media_type, data):
    image = make_image(media_type=media_type, data=data)
    answer = sign_in(member).get(address("download", image, member) + "?format=webp")
    assert answer.status_code == 422
    assert "take the original" in answer.content.decode()


@pytest.mark.parametrize("encoding", ["WEBP", "PNG"])
def test_a_picture_that_moves_is_not_converted_without_a_word(sign_in, member, make_image, encoding):
    media_type = f"image/{encoding.lower()}"
    moving = encoded(pixels((90, 60)), encoding, save_all=True, append_images=[pixels((90, 60), seed=2)])
    image = make_image(media_type=media_type, data=moving)
    answer = sign_in(member).get(address("download", image, member) + "?format=jpeg")
    assert answer.status_code == 422
    assert "moves" in answer.content.decode()
    kept = sign_in(member).get(address("download", image, member)).content  # with its parameters
    assert decoded(kept).n_frames == 2
    still = make_image(media_type="image/webp", data=webp(1))
    assert sign_in(member).get(address("download", still, member) + "?format=jpeg").status_code == 200


def test_a_conversion_is_offered_only_where_there_is_one(sign_in, member, make, make_image):
    for kind in FILES:
        page = sign_in(member).get(reverse("jobs:picture", args=[member.team.slug, make(kind).pk]))
        assert "format=stored" in page.content.decode()
        assert "format=webp" not in page.content.decode()
        assert ("format=png" in page.content.decode()) == (kind == "svg")
    page = sign_in(member).get(reverse("jobs:picture", args=[member.team.slug, make_image().pk]))
    assert "format=png" in page.content.decode()


def entry_files(member, images, output):
    archive = archives_service.create(member=member, images=[image.pk for image in images], output=output)
    plan = archives_service.make_plan(member=member, archive=archive)
    rows = entries.load_images(member.pk, plan.entries)
    return [entries.read_entry(entry, rows[entry.image], output) for entry in plan.entries]


@EACH
def test_a_zip_has_the_original_and_its_parameters_beside_it(member, make_image, media_type, data):
    image = make_image(media_type=media_type, data=data)
    for output in (OutputFormat("webp"), OutputFormat()):
        ((name, file), (beside, parameters)) = entry_files(member, [image], output)[0]
        assert (name, file) == (f"a-red-fox-7.{storage_keys.EXTENSIONS[media_type]}", data)
        assert beside == f"{name}.txt"
        assert parameters.startswith(b"a red fox\nSteps: ")
    assert entry_files(member, [image], OutputFormat("jpeg", with_parameters=False))[0] == [(name, data)]


def test_a_picture_that_moves_does_not_fail_a_zip_of_others(member, make_image):
    moving, still = make_image(media_type="image/webp", data=webp(2)), make_image()
    first, second = entry_files(member, [moving, still], OutputFormat("jpeg", with_parameters=False))
    assert first == [("a-red-fox-7.original.webp", storage_client.read(moving.key))]
    assert second[0][0] == "a-red-fox-7-2.jpg"
    assert decoded(second[0][1]).format == "JPEG"


# What is shown ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["gif", "gif that moves", "avif"])
def test_gif_and_avif_are_shown_as_they_are(sign_in, member, make, kind):
    answer = sign_in(member).get(address("original", make(kind), member))
    assert (answer["Content-Type"], answer.getvalue()) == FILES[kind]
    assert answer["Content-Disposition"].startswith("inline")


def test_an_svg_is_shown_in_its_clean_form_and_only_within_a_page(sign_in, member, make):
    signed_in, original = sign_in(member), address("original", make("svg"), member)
    answer = signed_in.get(original)
    assert b"<rect" in answer.content
    assert b"alert" not in answer.content
    assert answer["Content-Type"] == media_check.SVG
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert signed_in.get(original, headers={"If-None-Match": answer["ETag"]}).status_code == 304


@pytest.mark.parametrize("kind", ["svg", "svg out of bounds", "file"])
def test_the_bytes_of_svg_and_files_leave_only_as_attachments(sign_in, member, make, kind):
    image = make(kind)
    streamed = delivery_responses.stream_object(RequestFactory().get("/"), image, name="x")
    for answer in (streamed, sign_in(member).get(address("download", image, member))):
        assert answer.getvalue() == FILES[kind][1]
        assert answer["Content-Disposition"].startswith("attachment")
        assert "sandbox" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("kind", ["svg out of bounds", "file"])
def test_what_cannot_be_shown_has_a_tile(sign_in, member, make, kind):
    image = make(kind)
    answer = sign_in(member).get(address("original", image, member))
    assert answer["Content-Type"] == "image/webp"
    assert decoded(answer.content).size == (800, 800)
    assert thumbnails.get_or_make(image, "small") == thumbnails.read_stored(image.pk, "small")
    assert (
        len(decoded(thumbnails.get_or_make(image, "small")).getcolors(10_000)) > 10
    )  # letters on the ground


def test_a_tile_says_type_and_size(make, monkeypatch):
    told = []
    really = ImageDraw.ImageDraw.text
    monkeypatch.setattr(
        ImageDraw.ImageDraw,
        "text",
        lambda self, at, text, **k: told.append(text) or really(self, at, text, **k),
    )
    thumbnails.tile(make("file"))
    assert [text.replace("\xa0", " ") for text in told] == ["PSD · 2.9 MB"]


def test_a_file_without_a_size_is_a_square_on_pages(sign_in, member, make):
    image = make("file")
    assert (image.width, image.height) == (0, 0)
    shown = library_tags.trashed_thumbnail(image, member)
    assert shown.width == shown.height > 0
    for page in (
        reverse("library:grid", args=[member.team.slug]),
        reverse("jobs:picture", args=[member.team.slug, image.pk]),
    ):
        content = sign_in(member).get(page).content.decode()
        assert 'width="0"' not in content
    assert "PSD, 2.9" in content


# Thumbnails ------------------------------------------------------------------------------


def thumbnail(image, size="small"):
    return decoded(thumbnails.get_or_make(image, size)).convert("RGBA")


@pytest.mark.parametrize("kind", ["gif", "gif that moves"])
def test_the_thumbnail_of_a_gif_is_its_first_frame_with_its_transparency(make, kind):
    small = thumbnail(make(kind))
    assert small.size == (80, 40)
    red, clear = small.getpixel((20, 20)), small.getpixel((65, 20))
    assert red[0] > 200
    assert max(red[1:3]) < 60
    assert clear[3] == 0


def test_the_thumbnail_of_an_avif_is_its_picture(make):
    small, whole = thumbnail(make("avif")), pixels()
    assert small.size == whole.size
    assert abs(small.getpixel((300, 190))[0] - whole.getpixel((300, 190))[0]) < 25


@pytest.mark.parametrize(("size", "width"), [("small", 400), ("large", 800)])
def test_the_thumbnail_of_an_svg_is_drawn_sharply(make, size, width):
    drawn = thumbnail(make("svg"), size)
    assert drawn.size == (width, width // 2)
    assert drawn.getpixel((width // 4, width // 4))[:3] == pytest.approx((255, 0, 0), abs=8)
    assert drawn.getpixel((width * 3 // 4, width // 4))[3] == 0
    edge = [drawn.getpixel((at, width // 4))[3] for at in range(width // 2 - 5, width // 2 + 5)]
    assert sum(0 < alpha < 255 for alpha in edge) <= 4


def test_an_svg_that_cannot_be_drawn_has_a_tile(make_image):
    copies = "".join(f'<g id="a{at + 1}">' + f'<use href="#a{at}"/>' * 10 + "</g>" for at in range(9))
    inside = f'<defs><rect id="a0" width="1" height="1"/>{copies}</defs><use href="#a9"/>'
    data = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20">{inside}</svg>'.encode()
    assert thumbnail(make_image(media_type=media_check.SVG, data=data)).size == (800, 800)


# Share links -----------------------------------------------------------------------------


def shared(member, image, *, shows_prompt=True):
    return sharing_service.share_image(
        member=member, image=image.pk, options=Options(shows_prompt=shows_prompt)
    )


@EACH
def test_a_link_shows_and_hands_out_any_kind(visitor, member, make_image, media_type, data):
    image = make_image(media_type=media_type, data=data)
    share = shared(member, image)
    assert visitor.get(path_of(share)).status_code == 200
    download = visitor.get(path_of(share, image.pk, "download"))
    assert download.content == data
    assert download["Content-Disposition"].startswith("attachment")
    original = visitor.get(path_of(share, image.pk, "original"))
    assert original.status_code == 200
    assert b"alert" not in original.content


def test_a_link_that_hides_the_prompt_hands_out_no_file_that_has_it(visitor, member, make_image):
    telling = SVG.replace(b"<rect", b"<desc>A red fox</desc><rect")
    for data, status in ((telling, 404), (SVG, 200)):
        image = make_image(media_type=media_check.SVG, data=data, prompt="A red fox")
        share = shared(member, image, shows_prompt=False)
        for name in ("download", "original"):
            assert visitor.get(path_of(share, image.pk, name)).status_code == status


def test_only_what_can_be_converted_is(make, make_image):
    for kind, (_media_type, data) in FILES.items():
        with pytest.raises(NotConverted):
            imaging_convert.convert(make(kind), data, OutputFormat("webp"))
    assert library_tags.is_converted(make_image())
