"""Stores with the bucket in the host name, keys without the right to list, and buckets with Object Lock."""

import uuid

import pytest
from django.conf import settings as configured

from generations.jobs.monitoring import readiness
from generations.library.delivery import thumbnails
from generations.library.storage import client as storage_client
from tests.library.storage import strict_store
from tests.library.storage.test_client import with_storage_options

pytestmark = pytest.mark.usefixtures("bucket")


@pytest.fixture
def store(settings):
    """Use a store with these rules from now on: store(no_list=True)."""
    backend = storage_client.client()
    running = []

    def use(*, options=None, **rules):
        access_key = configured.STORAGES["images"]["OPTIONS"]["access_key"]
        context = strict_store.running(backend, access_key, **rules)
        server = context.__enter__()
        running.append(context)
        with_storage_options(settings, **server.options, **(options or {}))
        return server

    bucket = storage_client.bucket()
    backend.delete_object(Bucket=bucket, Key=storage_client.MARKER)
    yield use
    for context in running:
        context.__exit__(None, None, None)
    backend.delete_object(Bucket=bucket, Key=storage_client.MARKER)


def new_key():
    return f"images/{uuid.uuid4()}/1-abc.png"


def missing(ask):
    """Ask for an object that is not there; which of the two errors that is."""
    with pytest.raises(storage_client.StorageUnavailable) as problem:
        ask(new_key())
    return type(problem.value)


def assert_objects_come_and_go():
    key = new_key()
    storage_client.put(key, b"pixels", media_type="image/png", metadata={"seed": 7})
    assert storage_client.read(key) == b"pixels"
    assert b"".join(storage_client.stream(key)) == b"pixels"
    assert storage_client.head(key).metadata == {"seed": "7"}
    assert storage_client.exists(key)
    storage_client.remove(key)
    assert not storage_client.exists(key)
    for ask in (storage_client.read, storage_client.stream, storage_client.head):
        assert missing(ask) is storage_client.ObjectMissing


def test_the_bucket_stands_in_the_host_name_if_it_is_asked_to(store):
    store(bucket_in_host=True)
    assert not storage_client.is_up()
    store(bucket_in_host=True, options={"addressing_style": "virtual"})
    assert storage_client.is_up()
    storage_client.create_bucket()
    assert_objects_come_and_go()


def test_a_key_that_may_not_list_finds_out_what_is_missing(store):
    store(no_list=True)
    storage_client.create_bucket()  # as `setup` does
    readiness.check_storage()
    assert_objects_come_and_go()
    assert thumbnails.read_stored(uuid.uuid4(), "small") is None


def test_the_marker_of_a_key_that_may_not_list_is_stored_once(store):
    server = store(no_list=True)
    for _ in range(3):
        assert storage_client.is_up()
    assert server.stored == [storage_client.MARKER]


def test_a_key_that_may_list_leaves_no_marker(store):
    server = store()
    assert storage_client.is_up()
    assert_objects_come_and_go()
    assert storage_client.MARKER not in server.stored


def test_a_key_that_may_not_read_does_not_make_objects_look_missing(store):
    store(no_list=True, no_read=True)
    assert not storage_client.is_up()
    for ask in (storage_client.read, storage_client.stream, storage_client.head):
        assert missing(ask) is storage_client.StorageUnavailable


def test_a_wrong_key_does_not_make_objects_look_missing(store):
    store(no_list=True)
    assert storage_client.is_up()
    store(no_list=True, options={"access_key": "somebody-else"})
    assert not storage_client.is_up()
    for ask in (storage_client.read, storage_client.stream, storage_client.head):
        assert missing(ask) is storage_client.StorageUnavailable


def test_a_bucket_that_is_not_there_is_not_up_for_a_key_that_may_not_list(store):
    store(options={"bucket_name": "there-is-none"})
    assert not storage_client.is_up()


def test_a_bucket_with_object_lock_takes_nothing_without_a_checksum(store):
    store(object_lock=True)
    with pytest.raises(storage_client.StorageUnavailable):
        storage_client.put(new_key(), b"pixels", media_type="image/png")


@pytest.mark.parametrize(("setting", "header"), [("md5", "Content-MD5"), ("sha256", "x-amz-checksum-sha256")])
def test_a_bucket_with_object_lock_takes_objects_with_a_checksum(store, settings, setting, header):
    settings.S3_CHECKSUM = setting
    server = store(object_lock=True)
    assert_objects_come_and_go()
    assert server.checksums == [header]


@pytest.mark.parametrize("setting", ["md5", "sha256"])
def test_the_tests_own_store_takes_checksums_too(settings, setting):
    settings.S3_CHECKSUM = setting
    assert_objects_come_and_go()
