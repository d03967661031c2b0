"""Import uploaded pictures into the library."""

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
from generations.library.uploads import input_images
from generations.teams.models import Role, Visibility
from tests.concurrency import run_concurrently
from tests.library.conftest import decoded, encoded, pixels
from tests.library.storage.test_client import with_storage_options
from tests.markup import compact


def import_file(member, data=None, name="My fox.final.png", **about):
    return uploads_imports.import_file(
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
    said = re.findall(r'class="upload-status">([^<]*)', compact(answer.content.decode()))
    return [words for words in said if words.strip()]


# What is kept --------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["PNG", "JPEG", "WEBP"])
def test_an_imported_picture_is_an_image_like_any_other(member, encoding):
    image = import_file(member, encoded(pixels(), encoding)).image
    data = storage_client.read(image.key)
    assert hashlib.sha256(data).hexdigest() == image.sha256
    assert decoded(data).size == (image.width, image.height) == (320, 200)
    assert (image.bytes, image.origin, image.owner) == (len(data), "uploaded", member)
    assert (image.title, image.prompt, image.visibility) == ("My fox.final", "", "team")
    assert found(member, "fox") == [image]


def test_camera_metadata_is_removed_and_the_picture_is_upright(member):
    picture = pixels((320, 200))
    exif = picture.getexif()
    exif[0x0112], exif[0x010F] = 6, "Camera of Mei"  # lies on its side
    image = import_file(member, encoded(picture, "JPEG", exif=exif)).image
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
    assert import_file(member, name=name).image.title == title


def test_the_visibility_is_the_members_default_or_as_chosen(member):
    member.user.default_visibility = Visibility.PRIVATE
    assert import_file(member).image.visibility == "private"
    assert import_file(member, encoded(pixels(seed=2)), visibility="team").image.visibility == "team"


@pytest.mark.parametrize(
    "data", [b"GIF89a", b"<svg/>", encoded(pixels())[:900], encoded(pixels((31, 32))), b"\x89PNG\r\n\x1a\n"]
)
def test_an_unsupported_file_is_refused_with_a_sentence(member, data):
    with pytest.raises(input_images.BadUpload, match=r"\w+ .*\."):
        import_file(member, data)
    assert not Image.objects.exists()


# The same picture again ------------------------------------------------------------------------------


def test_the_same_picture_is_stored_once_by_its_bytes_or_its_pixels(member, teammate):
    first = import_file(member, encoded(pixels(), compress_level=1))
    assert first.is_new
    for data in (encoded(pixels(), compress_level=9), storage_client.read(first.image.key)):
        again = import_file(teammate, data)
        assert (again.image, again.is_new, again.is_in_trash) == (first.image, False, False)
    assert Image.objects.count() == 1


def test_a_generated_picture_is_recognised_when_it_is_uploaded(member, teammate, make_image):
    fox = make_image(media_type="image/webp")
    assert import_file(teammate, storage_client.read(fox.key)).image == fox


def test_a_picture_in_the_trash_is_offered_to_those_who_may_restore_it(member, teammate, make_member):
    first = import_file(member).image
    images_service.trash(member=member, images=[first.pk])
    again = import_file(member)
    assert (again.image, again.is_new, again.is_in_trash) == (first, False, True)
    curator = make_member("ana", role=Role.ADMINISTRATOR)
    assert import_file(curator).is_in_trash
    assert import_file(teammate).is_new


def test_a_private_picture_of_another_member_is_not_revealed(member, teammate, stranger):
    private = import_file(member, visibility="private").image
    theirs = import_file(teammate)
    assert theirs.is_new
    assert theirs.image != private
    assert theirs.image.key == private.key  # the same bytes are stored once
    elsewhere = import_file(stranger)
    assert elsewhere.is_new
    assert elsewhere.image.key != private.key


@pytest.mark.django_db(transaction=True)
def test_concurrent_imports_of_one_picture_add_it_once(member, teammate):
    brought = run_concurrently(*(partial(import_file, each) for each in (member, teammate) * 3))
    assert sum(each.is_new for each in brought) == 1
    assert Image.objects.count() == 1


# The page ---------------------------------------------------------------------------------------------


def test_an_error_in_one_file_does_not_affect_the_others(sign_in, member):
    fox, hen = encoded(pixels()), encoded(pixels(seed=2))
    import_file(member, hen)
    answer = send(sign_in(member), member, ("fox.png", fox), ("bad.png", b"x"), ("hen.png", hen))
    assert answer.status_code == 200
    assert said(answer) == [
        "Added to the library",
        "This is not a PNG, JPEG or WebP picture.",
        "The library has this picture already.",
    ]
    assert set(Image.objects.values_list("title", flat=True)) == {"fox", "My fox.final"}


def test_htmx_gets_only_the_outcome_of_its_file(sign_in, member):
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
    image, mine = import_file(member).image, sign_in(member)
    images_service.trash(member=member, images=[image.pk])
    answer = send(mine, member, ("fox.png", encoded(pixels())))
    assert said(answer) == ["This picture is in the trash already."]
    assert f'value="{image.pk}"' in answer.content.decode()
    mine.post(reverse("library:trash", args=[member.team.slug]), {"image": image.pk})
    assert Image.objects.visible_to(member).get() == image


def test_a_file_that_is_too_large_is_refused_with_a_sentence(sign_in, member):
    answer = send(sign_in(member), member, ("big.png", b"\x89PNG" + bytes(input_images.MAX_FILE_SIZE)))
    assert answer.status_code == 422
    assert said(answer) == ["This file is larger than 10 MB. Save the picture smaller, or as a JPEG."]


def test_a_form_without_a_file_says_so(sign_in, member):
    answer = sign_in(member).post(reverse("library:upload_images", args=[member.team.slug]))
    assert (answer.status_code, said(answer)) == (422, ["Choose a picture first."])


def test_without_storage_nothing_is_imported(sign_in, member, settings):
    with_storage_options(settings, endpoint_url="http://127.0.0.1:9")
    answer = send(sign_in(member), member, ("a.png", encoded(pixels())))
    assert answer.status_code == 503
    assert "does not answer" in said(answer)[0]
    assert not Image.objects.exists()


def test_a_viewer_cannot_upload(sign_in, viewer):
    assert send(sign_in(viewer), viewer, ("a.png", encoded(pixels()))).status_code == 403


def test_a_start_image_is_added_to_the_library_by_its_owner_alone(sign_in, member, teammate):
    start = input_images.save_upload(member=member, file=io.BytesIO(encoded(pixels())), name="start.png")
    address = reverse("library:add_upload", args=[member.team.slug, start.pk])
    assert sign_in(teammate).post(address).status_code == 404
    assert said(sign_in(member).post(address)) == ["Added to the library"]
    image = Image.objects.get()
    assert (image.key, image.sha256, image.title) == (start.key, start.sha256, "start")
    assert said(sign_in(member).post(address)) == ["The library has this picture already."]
    assert Upload.objects.get() == start
    assert found(member, "start") == [image]
