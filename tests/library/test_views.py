import asyncio
import hashlib
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from generations.library.images import service as images_service
from generations.library.models import Image
from generations.library.search import indexer
from generations.library.storage import client as storage_client
from tests.library.conftest import decoded, encoded, pixels


def address(name, image, member):
    return reverse(f"library:{name}", args=[member.team.slug, image.pk])


# Originals and downloads ------------------------------------------------------------


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg", "image/webp"])
def test_an_original_is_what_the_provider_sent(sign_in, member, make_image, media_type):
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


def test_an_original_that_the_browser_has_is_not_sent_again(sign_in, member, make_image):
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
def test_an_original_arrives_whole_from_the_real_kind_of_server(member, make_image):
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
    assert kept.text["parameters"].startswith("a red fox\nSeed: 7")
    assert kept.tobytes() == decoded(storage_client.read(image.key)).tobytes()


def test_a_picture_without_words_has_a_name_too(sign_in, member, make_image):
    image = make_image(prompt="...", seed=None)
    answer = sign_in(member).get(address("download", image, member))
    assert answer["Content-Disposition"] == f'attachment; filename="picture-{str(image.pk)[-12:]}.png"'


@pytest.mark.parametrize("name", ["original", "download"])
def test_a_picture_is_found_by_those_alone_who_may_see_it(sign_in, make_image, request, name):
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


def test_a_picture_is_shown_to_nobody_who_is_signed_out(client, member, make_image):
    answer = client.get(address("original", make_image(), member))
    assert answer.status_code == 302
    assert "/accounts/login/" in answer["Location"]


# The catalogue -----------------------------------------------------------------------


def test_an_image_is_entered_once(member):
    facts = {
        "member": member,
        "generation": uuid.uuid4(),
        "batch": uuid.uuid4(),
        "position": 0,
        "model": "core",
        "parameters": {"prompt": "a fox", "negative_prompt": None},
        "visibility": "team",
        "key": "images/x.png",
        "sha256": "0" * 64,
        "media_type": "image/png",
        "width": 10,
        "height": 10,
        "size": 100,
        "seed": 4_294_967_295,
    }
    first = images_service.add(**facts)
    with pytest.raises(IntegrityError), transaction.atomic():
        images_service.add(**facts | {"key": "images/other.png"})
    assert images_service.add(**facts | {"position": 1}) != first
    first.refresh_from_db()
    assert (first.prompt, first.negative_prompt, first.bytes) == ("a fox", "", 100)


# The grid ------------------------------------------------------------------------------


def grid(client, member, **query):
    return client.get(reverse("library:grid", args=[member.team.slug]), query)


def many(member, count):
    """Images without bytes, one a minute, some at the very same moment."""
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    made = Image.objects.bulk_create(
        Image(
            team=member.team,
            owner=member,
            generation=uuid.uuid4(),
            key="images/x.png",
            sha256="0" * 64,
            media_type="image/png",
            width=10,
            height=10,
            bytes=100,
            created_at=start + timedelta(minutes=number // 2),
        )
        for number in range(count)
    )
    indexer.refresh([image.pk for image in made])


def shown(answer):
    return [image for _day, images in answer.context["days"] for image in images]


def test_the_grid_shows_every_picture_once_newest_first(sign_in, member):
    many(member, 130)
    signed_in, pictures, before = sign_in(member), [], {}
    for expected in (60, 60, 10):
        answer = grid(signed_in, member, **before)
        assert len(shown(answer)) == expected
        pictures += shown(answer)
        before = {"before": str(answer.context["older"])}
    assert answer.context["older"] is None
    assert len({picture.pk for picture in pictures}) == 130
    moments = [(picture.created_at, picture.pk) for picture in pictures]
    assert moments == sorted(moments, reverse=True)


def test_a_day_is_the_teams_day(sign_in, member):
    type(member.team).objects.update(time_zone="Pacific/Auckland")
    many(member, 3)  # noon in UTC is the next day's morning there
    answer = grid(sign_in(member), member)
    assert [(str(day), len(images)) for day, images in answer.context["days"]] == [("2026-03-02", 3)]


def test_an_older_page_says_which_day_had_begun(sign_in, member):
    many(member, 70)
    first = grid(sign_in(member), member)
    assert first.context["day_begun"] is None
    second = grid(sign_in(member), member, before=str(first.context["older"]))
    assert str(second.context["day_begun"]) == "2026-03-01"


def test_paging_goes_on_from_a_picture_that_went_to_the_trash(sign_in, member):
    many(member, 70)
    older = grid(sign_in(member), member).context["older"]
    Image.objects.filter(pk=older).update(trashed_at=timezone.now())
    assert len(shown(grid(sign_in(member), member, before=str(older)))) == 10


def test_the_grid_asks_as_often_for_sixty_pictures_as_for_one(sign_in, member):
    signed_in = sign_in(member)
    many(member, 1)
    grid(signed_in, member)
    with CaptureQueriesContext(connection) as for_one:
        grid(signed_in, member)
    many(member, 100)
    with CaptureQueriesContext(connection) as for_sixty:
        assert len(shown(grid(signed_in, member))) == 60
    assert len(for_sixty) == len(for_one)


def test_the_grid_shows_what_i_may_see(sign_in, member, teammate, stranger, make_image):
    make_image(visibility="private")
    shared = make_image()
    make_image(stranger)
    assert shown(grid(sign_in(teammate), teammate)) == [shared]
    assert len(shown(grid(sign_in(member), member))) == 2


@pytest.mark.parametrize("before", ["nonsense", str(uuid.uuid4())])
def test_a_page_after_nothing_is_not_found(sign_in, member, before):
    assert grid(sign_in(member), member, before=before).status_code == 404


def test_a_page_after_a_foreign_picture_is_not_found(sign_in, member, stranger, make_image):
    foreign = make_image(stranger)
    assert grid(sign_in(member), member, before=str(foreign.pk)).status_code == 404


def test_the_next_page_comes_alone_when_the_page_asks_for_it(sign_in, member):
    many(member, 70)
    whole = grid(sign_in(member), member)
    path = f"{reverse('library:grid', args=[member.team.slug])}?before={whole.context['older']}"
    part = sign_in(member).get(path, headers={"HX-Request": "true"})
    assert b"<html" in whole.content
    assert b"<html" not in part.content
    assert "HX-Request" in part["Vary"]
