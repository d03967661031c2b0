"""The pages of the trash: list, restore, delete for good."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from generations.credits.models import Transfer
from generations.jobs.models import Generation
from generations.library.bulk import service as bulk_service
from generations.library.bulk import worker as bulk_worker
from generations.library.delivery import signed_urls as delivery_signed_urls
from generations.library.images import service as images_service
from generations.library.maintenance import cleanup as maintenance_cleanup
from generations.library.models import BulkAction, Image, SearchEntry
from generations.library.storage import client as storage_client
from generations.library.trash import purge as trash_purge
from generations.teams.models import Role
from tests.conftest import work
from tests.library.delivery.test_thumbnails import later
from tests.library.gallery.test_paging import many


def address(name, member, *arguments):
    return reverse(f"library:{name}", args=[member.team.slug, *arguments])


def pks(*images):
    return [image.pk for image in images]


def shown(client, member, **query):
    return client.get(address("trash", member), query)


def trash_page_of(client, member):
    return shown(client, member).context["page"].images


@pytest.fixture
def trashed(member, make_image):
    """Two images of the member's in the trash."""
    images = [make_image(prompt="a red fox"), make_image(prompt="a grey hen")]
    for image in images:
        images_service.trash(member=member, images=[image.pk])
    return images


# What is shown ---------------------------------------------------------------------------


def test_the_trash_lists_what_the_member_may_restore_newest_first(
    sign_in, member, teammate, stranger, make_member, trashed, make_image
):
    curator = make_member("ana", role=Role.ADMINISTRATOR)
    private = make_image(visibility="private")
    images_service.trash(member=member, images=[private.pk])
    fox, hen = trashed
    assert trash_page_of(sign_in(member), member) == [private, hen, fox]
    assert trash_page_of(sign_in(curator), curator) == [hen, fox]
    assert trash_page_of(sign_in(teammate), teammate) == []
    assert trash_page_of(sign_in(stranger), stranger) == []
    assert shown(sign_in(stranger), member).status_code == 404


def test_a_viewer_has_no_trash(sign_in, viewer):
    assert shown(sign_in(viewer), viewer).status_code == 403


def test_it_says_who_trashed_a_picture_and_how_many_days_are_left(
    sign_in, member, make_member, make_image, settings
):
    settings.TRASH_DAYS = 10
    fox, curator = make_image(), make_member("ana", role=Role.ADMINISTRATOR)
    images_service.trash(member=curator, images=[fox.pk])
    Image.objects.update(trashed_at=timezone.now() - timedelta(days=3, hours=1))
    page = shown(sign_in(member), member).content.decode()
    assert "by Ana" in page
    assert "7 days left" in page
    Image.objects.update(trashed_at=timezone.now() - timedelta(days=11))
    assert "deleted soon" in shown(sign_in(member), member).content.decode()


def trash_many(member, count):
    """So many in the trash, some at the very same moment."""
    many(member, count)
    start = timezone.now() - timedelta(days=1)
    for number, image in enumerate(Image.objects.order_by("pk")):
        moment = start + timedelta(seconds=number // 2)
        Image.objects.filter(pk=image.pk).update(trashed_at=moment, trashed_by=member)


def test_every_picture_of_a_full_trash_is_shown_once_page_by_page(sign_in, member):
    trash_many(member, 130)
    signed_in, found, after = sign_in(member), [], ""
    for expected in (60, 60, 10):
        page = shown(signed_in, member, after=after).context["page"]
        assert len(page.images) == expected
        found, after = found + page.images, page.next_cursor
    assert after == ""
    assert len(set(found)) == 130
    moments = [(image.trashed_at, image.pk) for image in found]
    assert moments == sorted(moments, reverse=True)


def test_paging_continues_after_a_restored_picture(sign_in, member):
    trash_many(member, 70)
    page = shown(sign_in(member), member).context["page"]
    images_service.restore(member=member, images=pks(*page.images))
    assert len(shown(sign_in(member), member, after=page.next_cursor).context["page"].images) == 10


def test_a_picture_is_restored_once(member, trashed):
    assert images_service.restore(member=member, images=pks(*trashed)) == sorted(pks(*trashed))
    assert images_service.restore(member=member, images=pks(*trashed)) == []


def test_htmx_gets_only_the_next_rows(sign_in, member):
    trash_many(member, 70)
    further = shown(sign_in(member), member).context["page"].next_cursor
    path = f"{address('trash', member)}?after={further}&part=more"
    part = sign_in(member).get(path, headers={"HX-Request": "true"})
    assert b"<html" not in part.content
    assert part.content.count(b'type="checkbox"') == 10


@pytest.mark.parametrize(
    "after",
    [
        "x",
        "1",
        "9" * 17 + f".{uuid.UUID(int=7, version=4)}",
        "12.x",
        "\0",
        "٣.x",
        "-1." + str(uuid.UUID(int=7, version=4)),
    ],
)
def test_an_invalid_cursor_is_not_found(sign_in, member, after):
    assert shown(sign_in(member), member, after=after).status_code in (200, 404)


def test_the_number_of_queries_does_not_grow_with_the_trash(sign_in, member):
    trash_many(member, 1)
    signed_in = sign_in(member)
    shown(signed_in, member)
    with CaptureQueriesContext(connection) as for_one:
        shown(signed_in, member)
    trash_many(member, 100)
    with CaptureQueriesContext(connection) as for_sixty:
        assert len(trash_page_of(signed_in, member)) == 60
    assert len(for_sixty) == len(for_one)


# Thumbnails -----------------------------------------------------------------------------


def test_thumbnails_in_the_trash_are_served_to_those_who_may_restore_the_picture(
    sign_in, member, teammate, stranger, viewer, trashed
):
    fox, mine = trashed[0], sign_in(member)
    answer = mine.get(address("trashed_thumbnail", member, fox.pk, "small"))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert answer["Cache-Control"] == "private, no-cache"
    again = mine.get(
        address("trashed_thumbnail", member, fox.pk, "small"), headers={"If-None-Match": answer["ETag"]}
    )
    assert again.status_code == 304
    for other in (teammate, stranger):
        assert sign_in(other).get(address("trashed_thumbnail", member, fox.pk, "small")).status_code == 404
    assert sign_in(viewer).get(address("trashed_thumbnail", member, fox.pk, "small")).status_code == 403
    assert mine.get(address("trashed_thumbnail", member, fox.pk, "huge")).status_code == 404
    images_service.restore(member=member, images=[fox.pk])
    assert mine.get(address("trashed_thumbnail", member, fox.pk, "small")).status_code == 404


def test_the_signed_urls_of_a_trashed_picture_expire(sign_in, member, make_image, monkeypatch):
    fox, mine = make_image(), sign_in(member)
    before = delivery_signed_urls.thumbnail_url(fox, "small", member, mine.session.session_key)
    assert mine.get(before).status_code == 200  # it is made and stored
    images_service.trash(member=member, images=[fox.pk])
    assert before not in shown(mine, member).content.decode()
    later(monkeypatch, 2)
    assert mine.get(before).status_code == 404
    for name in ("original", "download"):
        assert mine.get(address(name, member, fox.pk)).status_code == 404


# Bringing back, and deleting for good ---------------------------------------------------------


def test_selected_pictures_are_restored_and_found_again(sign_in, member, trashed):
    fox, hen = trashed
    answer = sign_in(member).post(address("trash", member), {"image": [fox.pk]}, follow=True)
    assert "1 picture is back in the library." in answer.content.decode()
    assert trash_page_of(sign_in(member), member) == [hen]
    assert SearchEntry.objects.filter(image=fox).exists()


def test_all_pictures_are_restored_at_once(sign_in, member, trashed):
    sign_in(member).post(address("trash", member), {"all": "1"})
    assert not images_service.in_trash(member).exists()


def test_nobody_restores_the_pictures_of_others(sign_in, member, teammate, stranger, trashed):
    for other in (teammate, stranger):
        sign_in(other).post(address("trash", other), {"image": pks(*trashed)})
        sign_in(other).post(address("empty_trash", other), {"image": pks(*trashed), "sure": "1"})
        sign_in(other).post(address("empty_trash", other), {"all": "1", "sure": "1"})
    assert images_service.in_trash(member).count() == 2


def test_emptying_the_trash_asks_once_and_then_deletes_everything(sign_in, member, trashed, make_image):
    kept, mine = make_image(), sign_in(member)
    assert "Delete 2 pictures for good?" in mine.get(address("empty_trash", member)).content.decode()
    mine.post(address("empty_trash", member), {"all": "1"})
    assert Image.objects.count() == 3  # it was asked, and nothing more
    answer = mine.post(address("empty_trash", member), {"all": "1", "sure": "1"}, follow=True)
    assert "2 pictures are deleted." in answer.content.decode()
    assert list(Image.objects.all()) == [kept]


def test_selected_pictures_are_deleted_after_a_confirmation(sign_in, member, trashed):
    fox, hen = trashed
    mine = sign_in(member)
    asked = mine.post(address("empty_trash", member), {"image": [fox.pk]})
    assert "Delete 1 picture for good?" in asked.content.decode()
    assert str(fox.pk) in asked.content.decode()
    mine.post(address("empty_trash", member), {"image": [fox.pk], "sure": "1"})
    assert list(Image.objects.all()) == [hen]


@pytest.mark.parametrize("sent", [{}, {"image": []}, {"sure": "1"}])
def test_nothing_selected_changes_nothing(sign_in, member, trashed, sent):
    for name in ("trash", "empty_trash"):
        answer = sign_in(member).post(address(name, member), sent, follow=True)
        assert "Choose some pictures first." in answer.content.decode()
    assert images_service.in_trash(member).count() == 2


@pytest.mark.parametrize("bad", ["x", "1", "\0", "0" * 33])
def test_an_invalid_id_is_not_found(sign_in, member, bad):
    for name in ("trash", "empty_trash"):
        assert sign_in(member).post(address(name, member), {"image": bad}).status_code == 404


def test_many_pictures_are_restored_by_a_worker_and_the_page_shows_the_progress(
    sign_in, member, trashed, monkeypatch
):
    monkeypatch.setattr(bulk_service, "MAX_IMAGES_INLINE", 1)
    mine = sign_in(member)
    page = mine.post(address("empty_trash", member), {"all": "1", "sure": "1"}, follow=True)
    assert "0 of 2" in page.content.decode()
    path = f"{address('trash', member)}?part=progress"
    part = mine.get(path, headers={"HX-Request": "true"})
    assert b"Deleting for good" in part.content
    assert b"<html" not in part.content
    bulk_worker.process(BulkAction.objects.get(kind="purge").pk)
    assert mine.get(path, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert not Image.objects.exists()


def test_at_most_ten_thousand_are_deleted_at_once_and_the_page_says_so(sign_in, member, trashed, monkeypatch):
    monkeypatch.setattr(bulk_service, "MAX_IMAGES", 1)
    page = sign_in(member).get(address("empty_trash", member)).content.decode()
    assert "Delete the newest" in page
    assert "Empty the trash again for the rest" in page


@pytest.mark.django_db(transaction=True)
def test_a_generation_whose_picture_was_deleted_says_so_and_keeps_its_ledger_entry(
    sign_in, member, submit, upstream
):
    submit()
    assert work() == 1
    row, charged = Generation.objects.get(), Transfer.objects.filter(kind="charge").count()
    image = Image.objects.get()
    images_service.trash(member=member, images=[image.pk])
    trash_purge.purge(member=member, images=[image.pk])
    maintenance_cleanup.clean_up()
    assert not storage_client.exists(image.key)
    page = sign_in(member).get(reverse("jobs:generation", args=[member.team.slug, row.pk]))
    assert page.status_code == 200
    assert "This picture is no longer in the library." in page.content.decode()
    assert Transfer.objects.filter(kind="charge").count() == charged == 1
