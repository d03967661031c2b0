"""Deleting images for good: when rows and objects are deleted, and races in between."""

import hashlib
import io
import threading
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from generations.library.bulk import actions as bulk_actions
from generations.library.bulk import service as bulk_service
from generations.library.delivery import thumbnails
from generations.library.images import service as images_service
from generations.library.maintenance import cleanup as maintenance_cleanup
from generations.library.models import (
    BulkAction,
    CollectionImage,
    DiscardedObject,
    Image,
    ImageTag,
    Share,
    ShareImage,
    Upload,
)
from generations.library.organise.service import add_to_collection, create_collection, like, tag
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from generations.library.tasks import clean_up
from generations.library.trash import purge as trash_purge
from generations.library.uploads import input_images
from generations.teams.models import Visibility
from sdweb.celery import app
from tests.library.conftest import encoded, pixels
from tests.library.storage.test_client import with_storage_options


def trash(image, days=0):
    images_service.trash(member=image.owner, images=[image.pk])
    Image.objects.filter(pk=image.pk).update(trashed_at=timezone.now() - timedelta(days=days))


def purge(*images):
    for image in images:
        trash(image)
    return trash_purge.purge(member=images[0].owner, images=[image.pk for image in images])


@pytest.fixture
def old(monkeypatch):
    """Whatever lies in storage lay there for long."""
    monkeypatch.setattr(trash_purge, "MIN_AGE", timedelta(seconds=-60))


@pytest.fixture
def upload(member):
    return save_upload(member)


def save_upload(member, seed=5):
    return input_images.save_upload(member=member, file=io.BytesIO(encoded(pixels(seed=seed))), name="x.png")


def image_of(member, upload):
    """An image whose object is that of an upload."""
    return Image.objects.create(
        team=member.team,
        owner=member,
        origin="uploaded",
        key=upload.key,
        sha256=upload.sha256,
        media_type=upload.media_type,
        width=upload.width,
        height=upload.height,
        bytes=upload.bytes,
    )


# What lay in the trash too long ------------------------------------------------------------------


def test_images_too_long_in_the_trash_are_deleted_with_their_objects(make_image, settings):
    settings.TRASH_DAYS = 10
    fresh, nearly, long = make_image(), make_image(), make_image()
    trash(nearly, days=9)
    trash(long, days=11)
    thumbnails.get_or_make(long, "small")
    maintenance_cleanup.clean_up()
    assert set(Image.objects.all()) == {fresh, nearly}
    assert not storage_client.exists(long.key)
    assert not storage_client.exists(storage_keys.thumbnail_key(image=long.pk, size="small"))
    assert storage_client.exists(fresh.key)
    assert storage_client.exists(nearly.key)
    assert not DiscardedObject.objects.exists()


def test_one_run_deletes_a_bounded_number_of_images(make_image, monkeypatch):
    monkeypatch.setattr(trash_purge, "BATCH_SIZE", 2)
    monkeypatch.setattr(trash_purge, "MAX_BATCHES", 2)
    for _ in range(5):
        trash(make_image(), days=31)
    assert trash_purge.delete_expired() == 4
    assert trash_purge.delete_expired() == 1
    assert trash_purge.remove_discarded() == 15


def test_all_rows_of_an_image_are_deleted_with_it(member, make_image):
    fox, edited = make_image(), make_image(prompt="a fox in snow")
    Image.objects.filter(pk=edited.pk).update(parent=fox)
    spring = create_collection(member=member, name="Spring", visibility=Visibility.TEAM)
    tag(member=member, images=[fox.pk], name="hero")
    add_to_collection(member=member, images=[fox.pk], collection=spring.pk)
    like(member=member, images=[fox.pk])
    Share.objects.create(team=member.team, maker=member, image=fox)
    selection = Share.objects.create(team=member.team, maker=member, is_selection=True)
    ShareImage.objects.create(share=selection, image=fox)
    purge(fox)
    assert not any(kind.objects.exists() for kind in (ImageTag, CollectionImage, ShareImage))
    assert list(Share.objects.all()) == [selection]
    edited.refresh_from_db()
    assert edited.parent is None  # what was made from it stays
    assert {each.related_model.__name__ for each in Image._meta.related_objects} == {
        *("SearchEntry", "ImageTag", "CollectionImage", "Favourite", "Share", "ShareImage", "Image", "Style")
    }  # another model that refers to images needs a thought here


def test_beat_runs_the_cleanup_every_ten_minutes():
    line = app.conf.beat_schedule["house"]
    assert (line["task"], line["schedule"]) == (clean_up.name, 600.0)


def test_the_cleanup_deletes_old_bulk_actions(member, make_image):
    action = bulk_service.start(member=member, kind=bulk_actions.Like, images=[make_image().pk])
    BulkAction.objects.filter(pk=action.pk).update(ended_at=timezone.now() - timedelta(days=8))
    clean_up()
    assert not BulkAction.objects.exists()


# Objects ---------------------------------------------------------------------------------------------


def test_an_object_of_another_row_stays(member, upload, old):
    image = image_of(member, upload)
    purge(image)
    trash_purge.remove_discarded()
    assert storage_client.exists(upload.key)
    assert not DiscardedObject.objects.exists()
    Upload.objects.all().delete()
    trash_purge.discard([upload.key])
    trash_purge.remove_discarded()
    assert not storage_client.exists(upload.key)


def test_a_shared_object_younger_than_an_hour_is_not_removed(member, upload, monkeypatch):
    image = image_of(member, upload)
    Upload.objects.all().delete()
    purge(image)
    trash_purge.remove_discarded()
    assert storage_client.exists(upload.key)
    assert DiscardedObject.objects.filter(key=upload.key).exists()
    monkeypatch.setattr(trash_purge, "MIN_AGE", timedelta(seconds=-60))
    trash_purge.remove_discarded()
    assert not storage_client.exists(upload.key)
    assert not DiscardedObject.objects.exists()


def test_without_storage_objects_are_removed_later(make_image, settings):
    fox, stores = make_image(), settings.STORAGES
    purge(fox)
    with_storage_options(settings, endpoint_url="http://127.0.0.1:9")
    clean_up()
    assert DiscardedObject.objects.count() == 3
    settings.STORAGES = stores
    clean_up()
    assert not storage_client.exists(fox.key)
    assert not DiscardedObject.objects.exists()


def test_a_crash_between_object_and_row_is_repaired_by_the_next_run(make_image):
    fox = make_image()
    purge(fox)
    storage_client.remove(fox.key)  # and here the worker was lost
    trash_purge.remove_discarded()
    assert not DiscardedObject.objects.exists()


def test_an_object_that_cannot_be_removed_does_not_block_the_others(make_image, monkeypatch):
    fox, hen = make_image(), make_image()
    purge(fox, hen)
    monkeypatch.setattr(trash_purge, "BATCH_SIZE", 1)
    remove = storage_client.remove

    def refused(key):
        if key == fox.key:
            raise storage_client.StorageUnavailable("no")
        remove(key)

    monkeypatch.setattr(storage_client, "remove", refused)
    trash_purge.remove_discarded()
    assert [line.key for line in DiscardedObject.objects.all()] == [fox.key]
    assert not storage_client.exists(hen.key)


# At the same moment --------------------------------------------------------------------------------


def later(call):
    """Run a call beside this test; its thread, whose `result` is what came of it."""

    def run():
        try:
            thread.result = call()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
def test_an_upload_during_the_removal_of_its_object_keeps_the_object(member, upload, old, monkeypatch):
    """The upload is entered between the moment at which nobody needs the object and its removal."""
    trash_purge.discard([upload.key])
    Upload.objects.all().delete()
    remove, put, begun = storage_client.remove, storage_client.put, []
    stored = threading.Event()

    def noticed(key, data, **about):
        put(key, data, **about)
        stored.set()

    def meanwhile(key):
        begun.append(later(partial(save_upload, member)))
        assert stored.wait(30)  # its object is in its place, its row is not seen yet
        begun[0].join(2)
        remove(key)

    monkeypatch.setattr(storage_client, "put", noticed)
    monkeypatch.setattr(storage_client, "remove", meanwhile)
    trash_purge.remove_discarded()
    begun[0].join(30)
    again = Upload.objects.get()
    assert begun[0].result == again
    assert hashlib.sha256(storage_client.read(again.key)).hexdigest() == again.sha256


@pytest.mark.django_db(transaction=True)
def test_an_object_that_was_just_uploaded_again_is_not_removed(member, upload, old, monkeypatch):
    """The line was read, then the picture was brought: the line is gone when its turn comes."""
    trash_purge.discard([upload.key])
    Upload.objects.all().delete()
    referred_to = trash_purge.referenced

    def meanwhile(keys):
        found = referred_to(keys)
        if not connection.in_atomic_block:
            later(partial(save_upload, member)).join(30)
        return found

    monkeypatch.setattr(trash_purge, "referenced", meanwhile)
    trash_purge.remove_discarded()
    assert storage_client.exists(Upload.objects.get().key)


@pytest.mark.django_db(transaction=True)
def test_an_image_restored_at_the_last_moment_is_not_deleted(member, make_image, monkeypatch):
    fox = make_image()
    trash(fox, days=31)
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one transaction write at a time.")
    with transaction.atomic():
        images_service.restore(member=member, images=[fox.pk])
        purging = later(partial(trash_purge.purge, member=member, images=[fox.pk]))
        emptying = later(trash_purge.delete_expired)
        purging.join(1)  # both wait for the row
        emptying.join(1)
    purging.join(30)
    emptying.join(30)
    assert (purging.result, emptying.result) == ([], 0)
    assert Image.objects.get() == fox
