"""Originals and downloads: the right bytes and headers, to those who may see the image."""

import asyncio
import hashlib
import re
from html import unescape

import pytest
from django.test import AsyncClient
from django.urls import reverse
from django.utils import timezone
from PIL.PngImagePlugin import PngInfo

from generations.library.models import Image
from generations.library.storage import client as storage_client
from tests.library.conftest import decoded, encoded, pixels


def address(name, image, member):
    return reverse(f"library:{name}", args=[member.team.slug, image.pk])


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg", "image/webp"])
def test_an_original_has_the_providers_bytes(sign_in, member, make_image, media_type):
    image = make_image(media_type=media_type, prompt="A Fox / 狐 \x1b\n..\\")
    answer = sign_in(member).get(address("original", image, member))
    data = answer.getvalue()
    assert hashlib.sha256(data).hexdigest() == image.sha256
    assert answer["Content-Type"] == media_type
    assert answer["Content-Length"] == str(len(data))
    assert answer["ETag"] == f'"{image.sha256}"'
    assert answer["Cache-Control"] == "private, no-cache"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("inline; filename*=utf-8''a-fox-%E7%8B%90-7.")


def test_an_original_is_not_sent_again_if_the_etag_matches(sign_in, member, make_image):
    image = make_image()
    signed_in, original = sign_in(member), address("original", image, member)
    storage_client.client().delete_object(
        Bucket=storage_client.bucket(), Key=image.key
    )  # storage is not asked
    answer = signed_in.get(original, headers={"If-None-Match": f'"{image.sha256}"'})
    assert answer.status_code == 304
    assert answer["ETag"] == f'"{image.sha256}"'
    assert answer["Cache-Control"] == "private, no-cache"
    answer = signed_in.head(original)
    assert (answer.status_code, answer["Content-Length"], answer.content) == (200, str(image.bytes), b"")
    assert signed_in.get(original).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_an_original_arrives_whole_over_asgi(member, make_image):
    image = make_image(data=encoded(pixels((1024, 1024))))
    assert image.bytes > 2 * storage_client.CHUNK_SIZE

    async def ask():
        client = AsyncClient()
        await client.aforce_login(member.user, "allauth.account.auth_backends.AuthenticationBackend")
        answer = await client.get(address("original", image, member))
        return [part async for part in answer]

    parts = asyncio.run(ask())
    assert len(parts) > 2
    assert hashlib.sha256(b"".join(parts)).hexdigest() == image.sha256


def test_a_download_is_a_file_with_its_prompt(sign_in, member, make_image):
    image = make_image(prompt="a red fox")
    answer = sign_in(member).get(address("download", image, member))
    assert answer["Content-Disposition"] == 'attachment; filename="a-red-fox-7.png"'
    kept = decoded(answer.content)
    assert kept.text["parameters"].startswith("a red fox\nSteps: 0, Sampler: none, Seed: 7")
    assert kept.tobytes() == decoded(storage_client.read(image.key)).tobytes()


def test_the_page_of_a_picture_offers_its_bytes_as_they_came_and_a_file_without_parameters(
    sign_in, member, make_image
):
    notes = PngInfo()
    notes.add_text("parameters", "an unannounced teapot")
    image = make_image(prompt="an unannounced teapot", data=encoded(pixels(), pnginfo=notes))
    browser = sign_in(member)
    page = browser.get(reverse("jobs:picture", args=[member.team.slug, image.pk])).content.decode()
    offered = {unescape(found) for found in re.findall(r'href="([^"]+/download\?[^"]*)"', page)}
    here = address("download", image, member)
    as_it_came, bare = f"{here}?format=stored", f"{here}?format=original&parameters=0"
    assert {as_it_came, bare, f"{here}?format=original&parameters=1"} <= offered
    answer = browser.get(as_it_came)
    assert hashlib.sha256(answer.content).hexdigest() == image.sha256
    assert answer["Content-Disposition"].startswith("attachment")
    assert b"teapot" not in browser.get(bare).content


def test_a_picture_without_title_and_prompt_has_a_file_name(sign_in, member, make_image):
    image = make_image(prompt="...", seed=None)
    answer = sign_in(member).get(address("download", image, member))
    assert answer["Content-Disposition"] == f'attachment; filename="picture-{str(image.pk)[-12:]}.png"'


@pytest.mark.parametrize("name", ["original", "download"])
def test_a_picture_is_served_only_to_those_who_may_see_it(sign_in, make_image, request, name):
    member, teammate, stranger = map(request.getfixturevalue, ["member", "teammate", "stranger"])
    shared, private = make_image(), make_image(visibility="private")
    trashed = make_image()
    Image.objects.filter(pk=trashed.pk).update(trashed_at=timezone.now())
    mine, theirs, foreign = sign_in(member), sign_in(teammate), sign_in(stranger)
    assert theirs.get(address(name, shared, member)).status_code == 200
    assert mine.get(address(name, private, member)).status_code == 200
    assert theirs.get(address(name, private, member)).status_code == 404
    assert mine.get(address(name, trashed, member)).status_code == 404
    assert foreign.get(address(name, shared, member)).status_code == 404
    assert foreign.get(address(name, shared, stranger)).status_code == 404
    assert mine.post(address(name, shared, member)).status_code == 405


def test_a_picture_is_not_served_without_signing_in(client, member, make_image):
    answer = client.get(address("original", make_image(), member))
    assert answer.status_code == 302
    assert "/accounts/login/" in answer["Location"]
