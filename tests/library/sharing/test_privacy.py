"""What a link does not reveal: the team, the prompt unless it is shown; no caching, no indexing."""

import io
import re

import pytest
from django.test import Client
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from generations.library.images import service as images_service
from generations.library.models import Collection, Image
from generations.library.sharing import service as sharing_service
from generations.library.sharing.service import Options
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from tests.library.conftest import decoded, encoded, pixels
from tests.library.share_links import PERSON, SECRET_PROMPT, collect, every_address, path_of

GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"

# What it never says ------------------------------------------------------------


def everything_said(visitor, paths):
    for path in paths:
        answer = visitor.get(path)
        assert answer.status_code == 200
        yield (
            path,
            b"\n".join([answer.content, *(f"{key}: {value}".encode() for key, value in answer.items())]),
        )


def test_the_pages_reveal_nothing_of_the_team_but_its_name(visitor, member, teammate, make_image, collection):
    image, other = make_image(teammate, prompt=SECRET_PROMPT), make_image(prompt=SECRET_PROMPT)
    hidden = make_image(teammate, visibility="private")
    collect(collection, image, other, hidden)
    one = sharing_service.share_image(member=member, image=image.pk)
    many = sharing_service.share_collection(member=member, collection=collection.pk)
    row = Image.objects.get(pk=image.pk)
    secrets = [member.team.slug, "mei", "Mei", "lin@", "Lin<", "studio.example"]
    secrets += [SECRET_PROMPT, "unannounced", "teapot", row.model, row.sha256, row.key]
    secrets += [
        str(row.generation),
        str(hidden.pk),
        one.pk,
        one.pk.hex,
        many.pk,
        collection.pk,
        "/t/",
        "/accounts",
    ]
    paths = every_address(one, image) + every_address(many, image) + every_address(many, other)
    for path, said in everything_said(visitor, paths):
        assert [secret for secret in secrets if str(secret).encode() in said] == [], path
    assert str(other.pk).encode() not in visitor.get(path_of(one)).content


def test_responses_are_neither_cached_nor_indexed(visitor, member, make_image):
    image = make_image()
    share = sharing_service.share_image(member=member, image=image.pk)
    dead = sharing_service.share_image(member=member, image=image.pk)
    sharing_service.revoke(member=member, share=dead.pk)
    for path in every_address(share, image) + every_address(dead, image):
        answer = visitor.get(path)
        assert answer["Cache-Control"] == "no-store", path
        assert answer["X-Robots-Tag"] == "noindex, nofollow"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer.cookies == {}
        assert "ETag" not in answer
        assert "Last-Modified" not in answer
    assert visitor.cookies == {}
    assert b'<meta name="robots" content="noindex, nofollow">' in visitor.get(path_of(share)).content
    assert "Disallow: /s/" in visitor.get("/robots.txt").content.decode()


def test_a_signed_in_member_sees_the_same_page(sign_in, visitor, member, make_image):
    share = sharing_service.share_image(member=member, image=make_image().pk)
    assert sign_in(member).get(path_of(share)).content == visitor.get(path_of(share)).content


def test_links_accept_no_post(member, make_image):
    image = make_image()
    share = sharing_service.share_image(member=member, image=image.pk)
    strict = Client(enforce_csrf_checks=True, headers=PERSON)
    for path in every_address(share, image):
        assert strict.post(path).status_code == 405
        assert strict.delete(path).status_code == 405
    assert strict.cookies == {}


HOSTILE = [
    '"><script>alert(1)</script>',
    "</title><img src=x onerror=alert(1)>",
    "{{ 7 }}{% url 'x' %}",
    "\u202egnp.exe",
    "a\r\nSet-Cookie: x=1",
    "שלום" * 20,
    "\x1b[31m\ufffd\x7f",
]


@pytest.mark.parametrize("title", HOSTILE)
def test_a_title_with_markup_is_escaped(visitor, member, make_image, collection, title):
    image = make_image(prompt=title)
    Image.objects.filter(pk=image.pk).update(title=title)
    Collection.objects.filter(pk=collection.pk).update(name=title)
    collect(collection, image)
    for share in (
        sharing_service.share_image(member=member, image=image.pk, options=Options(shows_prompt=True)),
        sharing_service.share_collection(member=member, collection=collection.pk),
    ):
        for path in every_address(share, image):
            answer = visitor.get(path)
            assert answer.status_code == 200
            assert "Set-Cookie" not in answer
            if answer["Content-Type"].startswith("text/html"):
                assert "<script>alert" not in answer.content.decode()
                assert "<img src=x" not in answer.content.decode()


# The prompt ------------------------------------------------------------


def noted(encoding, prompt=SECRET_PROMPT):
    """A file in which its provider has written how it was made, in every way that there is."""
    exif = Pillow.Exif()
    exif[0x010E] = exif[0x9286] = prompt
    xmp = f"<x:xmpmeta>{prompt}</x:xmpmeta>".encode()
    if encoding == "PNG":
        notes = PngInfo()
        notes.add_text("parameters", prompt)
        notes.add_text("zipped", prompt, zip=True)
        notes.add_itxt("XML:com.adobe.xmp", prompt)
        notes.add(b"caBX", prompt.encode())
        data = encoded(pixels(), "PNG", pnginfo=notes, exif=exif.tobytes())
        return data + prompt.encode()
    if encoding == "JPEG":
        options = {"comment": prompt.encode(), "progressive": True, "dpi": (72, 72)}
        return encoded(pixels(), "JPEG", exif=exif.tobytes(), xmp=xmp, **options) + prompt.encode()
    return encoded(pixels(), "WEBP", exif=exif.tobytes(), xmp=xmp, lossless=True)


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg", "image/webp"])
def test_files_have_no_metadata_unless_the_prompt_is_shown(visitor, member, make_image, media_type):
    data = noted(media_type.partition("/")[2].upper())
    assert SECRET_PROMPT.encode() in data
    image = make_image(media_type=media_type, data=data, prompt=SECRET_PROMPT)
    share = sharing_service.share_image(member=member, image=image.pk)
    for kind in ("original", "download"):
        answer = visitor.get(path_of(share, image.pk, kind))
        assert SECRET_PROMPT.encode() not in answer.content
        assert "teapot" not in answer["Content-Disposition"]
        bare = Pillow.open(io.BytesIO(answer.content))
        assert bare.tobytes() == decoded(data).tobytes()
        assert not {"exif", "comment", "parameters", "zipped"} & set(bare.info)
        assert re.findall(r">([^<>\s]+)<", bytes(bare.info["xmp"]).decode()) == [GENERATED]
        assert len(bare.getexif()) == 0
        assert answer["Content-Type"] == media_type
    extension = storage_keys.EXTENSIONS[media_type]
    assert answer["Content-Disposition"] == f'attachment; filename="picture.{extension}"'


def test_the_color_profile_stays(visitor, member, make_image):
    from PIL import ImageCms  # noqa: PLC0415

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for media_type, encoding in (("image/png", "PNG"), ("image/jpeg", "JPEG"), ("image/webp", "WEBP")):
        image = make_image(media_type=media_type, data=encoded(pixels(), encoding, icc_profile=profile))
        share = sharing_service.share_image(member=member, image=image.pk)
        kept = decoded(visitor.get(path_of(share, image.pk, "original")).content)
        assert kept.info["icc_profile"] == profile


def test_a_file_of_unknown_structure_is_not_served(visitor, member, make_image):
    data = encoded(pixels(), "JPEG")
    image = make_image(media_type="image/jpeg", data=data)
    storage_client.put(image.key, data[:-2], media_type="image/jpeg")  # its end is missing
    share = sharing_service.share_image(member=member, image=image.pk)
    assert visitor.get(path_of(share, image.pk, "original")).status_code == 404


def test_the_prompt_is_shown_if_the_link_allows_it(visitor, member, make_image, collection):
    image = make_image(prompt=SECRET_PROMPT)
    collect(collection, image)
    one = sharing_service.share_image(member=member, image=image.pk, options=Options(shows_prompt=True))
    many = sharing_service.share_collection(
        member=member, collection=collection.pk, options=Options(shows_prompt=True)
    )
    assert SECRET_PROMPT in visitor.get(path_of(one)).content.decode()
    assert SECRET_PROMPT in visitor.get(f"{path_of(many, image.pk)}/").content.decode()
    file = visitor.get(path_of(one, image.pk, "download"))
    assert decoded(file.content).text["parameters"].startswith(SECRET_PROMPT)
    assert "an-unannounced-teapot" in file["Content-Disposition"]


def test_a_title_is_shown(visitor, member, make_image):
    image = make_image(prompt=SECRET_PROMPT)
    images_service.set_title(member=member, image=image.pk, title="Harbour, first draft")
    share = sharing_service.share_image(member=member, image=image.pk)
    page = visitor.get(path_of(share)).content.decode()
    assert f"<title>Harbour, first draft · {member.team.name}</title>" in page
    assert (
        "harbour-first-draft.png" in visitor.get(path_of(share, image.pk, "download"))["Content-Disposition"]
    )
