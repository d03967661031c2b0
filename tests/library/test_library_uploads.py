"""Bringing one's own pictures into the library."""

import hashlib
import io
import re
from functools import partial

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.urls import reverse

from generations.library.images import service as images_service
from generations.library.models import Image, Upload
from generations.library.search import engine as search_engine
from generations.library.search.query import Search
from generations.library.storage import client as storage_client
from generations.library.uploads import imports as uploads_imports
from generations.library.uploads import start_images
from generations.teams.models import Role, Visibility
from tests.library.conftest import decoded, encoded, pixels
from tests.library.test_storage import in_another
from tests.office.crowd import together


def bring(member, data=None, name="My fox.final.png", **about):
    return uploads_imports.bring(
        member=member, file=io.BytesIO(data or encoded(pixels())), name=name, **about
    )


def found(member, words):
    return search_engine.page(member, Search.from_query(QueryDict(f"q={words}")), size=10)


def send(client, member, *files, **fields):
    address = reverse("library:upload_images", args=[member.team.slug])
    headers = {"HX-Request": "true"} if fields.pop("by_script", False) else {}
    sent = [SimpleUploadedFile(name, data) for name, data in files]
    return client.post(address, {"image": sent, **fields}, headers=headers)


def said(answer):
    """What the page says of each file."""
    said = re.findall(r'class="upload-said">([^<]*)', answer.content.decode())
    return [words for words in said if words.strip()]


# What is kept --------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["PNG", "JPEG", "WEBP"])
def test_a_picture_that_is_brought_is_an_image_like_any_other(member, encoding):
    image = bring(member, encoded(pixels(), encoding)).image
    data = storage_client.read(image.key)
    assert hashlib.sha256(data).hexdigest() == image.sha256
    assert decoded(data).size == (image.width, image.height) == (320, 200)
    assert (image.bytes, image.origin, image.owner) == (len(data), "uploaded", member)
    assert (image.title, image.prompt, image.visibility) == ("My fox.final", "", "team")
    assert found(member, "fox") == [image]


def test_what_a_camera_wrote_is_gone_and_the_picture_is_upright(member):
    picture = pixels((320, 200))
    exif = picture.getexif()
    exif[0x0112], exif[0x010F] = 6, "Camera of Mei"  # lies on its side
    image = bring(member, encoded(picture, "JPEG", exif=exif)).image
    data = storage_client.read(image.key)
    assert (image.width, image.height) == (200, 320)
    assert b"Camera of Mei" not in data
    assert not decoded(data).getexif()


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("a/b.png", "a/b"),
        (".png", ".png"),
        ("", ""),
        ("x" * 300 + ".png", "x" * 200),
        ("狐\0\n 1.webp", "狐 1"),
    ],
)
def test_the_title_is_the_files_name_without_its_ending(member, name, title):
    assert bring(member, name=name).image.title == title


def test_it_is_seen_by_whom_the_person_usually_shows_pictures_or_as_chosen(member):
    member.user.default_visibility = Visibility.PRIVATE
    assert bring(member).image.visibility == "private"
    assert bring(member, encoded(pixels(seed=2)), visibility="team").image.visibility == "team"


@pytest.mark.parametrize(
    "data", [b"GIF89a", b"<svg/>", encoded(pixels())[:900], encoded(pixels((32, 32))), b"\x89PNG\r\n\x1a\n"]
)
def test_what_is_no_picture_that_we_take_is_refused_with_a_sentence(member, data):
    with pytest.raises(start_images.BadUpload, match=r"\w+ .*\."):
        bring(member, data)
    assert not Image.objects.exists()


# The same picture again ------------------------------------------------------------------------------


def test_the_same_picture_is_kept_once_known_by_its_bytes_or_by_its_pixels(member, teammate):
    first = bring(member, encoded(pixels(), compress_level=1))
    assert first.is_new
    for data in (encoded(pixels(), compress_level=9), storage_client.read(first.image.key)):
        again = bring(teammate, data)
        assert (again.image, again.is_new, again.is_in_trash) == (first.image, False, False)
    assert Image.objects.count() == 1


def test_a_picture_that_the_provider_drew_is_known_when_it_comes_back(member, teammate, make_image):
    fox = make_image(media_type="image/webp")
    assert bring(teammate, storage_client.read(fox.key)).image == fox


def test_a_picture_in_the_trash_is_offered_to_those_who_may_bring_it_back(member, teammate, make_member):
    first = bring(member).image
    images_service.trash(member=member, images=[first.pk])
    again = bring(member)
    assert (again.image, again.is_new, again.is_in_trash) == (first, False, True)
    curator = make_member("ana", role=Role.ADMINISTRATOR)
    assert bring(curator).is_in_trash
    assert bring(teammate).is_new


def test_a_teammates_private_picture_is_not_spoken_of(member, teammate, stranger):
    private = bring(member, visibility="private").image
    theirs = bring(teammate)
    assert theirs.is_new
    assert theirs.image != private
    assert theirs.image.key == private.key  # the same bytes are stored once
    elsewhere = bring(stranger)
    assert elsewhere.is_new
    assert elsewhere.image.key != private.key


@pytest.mark.django_db(transaction=True)
def test_of_many_who_bring_the_same_picture_at_once_one_is_the_first(member, teammate):
    brought = together(*(partial(bring, each) for each in (member, teammate) * 3))
    assert sum(each.is_new for each in brought) == 1
    assert Image.objects.count() == 1


# The page ---------------------------------------------------------------------------------------------


def test_several_files_are_taken_each_for_itself(sign_in, member):
    fox, hen = encoded(pixels()), encoded(pixels(seed=2))
    bring(member, hen)
    answer = send(sign_in(member), member, ("fox.png", fox), ("bad.png", b"x"), ("hen.png", hen))
    assert answer.status_code == 200
    assert said(answer) == [
        "Added to the library",
        "This is not a PNG, JPEG or WebP picture.",
        "The library has this picture already.",
    ]
    assert set(Image.objects.values_list("title", flat=True)) == {"fox", "My fox.final"}


def test_the_script_gets_the_line_of_its_file_and_nothing_else(sign_in, member):
    answer = send(sign_in(member), member, ("fox.png", encoded(pixels())), by_script=True)
    assert answer.content.decode().count("upload-item") == 1
    assert "<html" not in answer.content.decode()
    assert "HX-Request" in answer["Vary"]
    refused = send(sign_in(member), member, ("<b>.png", b"x"), by_script=True)
    assert refused.status_code == 422
    assert "&lt;b&gt;.png" in refused.content.decode()


def test_who_sees_the_pictures_is_chosen_on_the_page(sign_in, member):
    send(sign_in(member), member, ("a.png", encoded(pixels())), visibility="private")
    send(sign_in(member), member, ("b.png", encoded(pixels(seed=2))), visibility="everybody")
    assert dict(Image.objects.values_list("title", "visibility")) == {"a": "private", "b": "team"}


def test_a_picture_in_the_trash_can_be_restored_from_the_answer(sign_in, member):
    image, mine = bring(member).image, sign_in(member)
    images_service.trash(member=member, images=[image.pk])
    answer = send(mine, member, ("fox.png", encoded(pixels())))
    assert said(answer) == ["This picture is in the trash already."]
    assert f'value="{image.pk}"' in answer.content.decode()
    mine.post(reverse("library:trash", args=[member.team.slug]), {"image": image.pk})
    assert Image.objects.visible_to(member).get() == image


def test_a_file_that_is_too_large_is_refused_with_a_sentence(sign_in, member):
    answer = send(sign_in(member), member, ("big.png", b"\x89PNG" + bytes(start_images.LARGEST_FILE)))
    assert answer.status_code == 422
    assert said(answer) == ["This file is larger than 10 MB. Save the picture smaller, or as a JPEG."]


def test_nothing_chosen_is_said(sign_in, member):
    answer = sign_in(member).post(reverse("library:upload_images", args=[member.team.slug]))
    assert (answer.status_code, said(answer)) == (422, ["Choose a picture first."])


def test_without_storage_nothing_is_entered(sign_in, member, settings):
    in_another(settings, endpoint_url="http://127.0.0.1:9")
    answer = send(sign_in(member), member, ("a.png", encoded(pixels())))
    assert answer.status_code == 503
    assert "does not answer" in said(answer)[0]
    assert not Image.objects.exists()


def test_a_viewer_brings_nothing(sign_in, viewer):
    assert send(sign_in(viewer), viewer, ("a.png", encoded(pixels()))).status_code == 403


def test_a_start_image_is_added_to_the_library_by_its_owner_alone(sign_in, member, teammate):
    start = start_images.receive(member=member, file=io.BytesIO(encoded(pixels())), name="start.png")
    address = reverse("library:add_upload", args=[member.team.slug, start.pk])
    assert sign_in(teammate).post(address).status_code == 404
    assert said(sign_in(member).post(address)) == ["Added to the library"]
    image = Image.objects.get()
    assert (image.key, image.sha256, image.title) == (start.key, start.sha256, "start")
    assert said(sign_in(member).post(address)) == ["The library has this picture already."]
    assert Upload.objects.get() == start
    assert found(member, "start") == [image]
