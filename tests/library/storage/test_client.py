import uuid

import pytest

from generations.library.storage import client as storage_client

KEY = "images/0198/1-abc.png"


def test_bytes_come_back_as_they_were_stored():
    storage_client.put(KEY, b"\x00\xff pixels", media_type="image/png")
    assert storage_client.read(KEY) == b"\x00\xff pixels"
    assert b"".join(storage_client.stream(KEY)) == b"\x00\xff pixels"
    assert storage_client.head(KEY).size == 9
    assert storage_client.head(KEY).media_type == "image/png"


def test_metadata_of_any_characters_comes_back():
    told = {"finish_reason": "SUCCESS", "request_id": " ü\n狐\x00🦊 ", "seed": "42"}
    storage_client.put(KEY, b"pixels", media_type="image/png", metadata=told)
    assert storage_client.head(KEY).metadata == told


def test_metadata_that_is_too_long_is_cut():
    storage_client.put(KEY, b"pixels", media_type="image/png", metadata={"request_id": "🦊" * 5_000})
    assert storage_client.head(KEY).metadata["request_id"] == "🦊" * 120


def test_storing_the_same_image_twice_is_harmless():
    for _ in range(2):
        storage_client.put(KEY, b"pixels", media_type="image/png")
    assert storage_client.read(KEY) == b"pixels"


@pytest.mark.parametrize("ask", [storage_client.read, storage_client.stream, storage_client.head])
def test_an_object_that_is_not_there_is_missing(ask):
    with pytest.raises(storage_client.ObjectMissing):
        ask(f"images/{uuid.uuid4()}.png")
    assert not storage_client.exists(f"images/{uuid.uuid4()}.png")


def test_creating_the_bucket_again_is_harmless(settings):
    with_storage_options(settings, bucket_name=f"new-{uuid.uuid4()}")
    assert not storage_client.is_up()
    storage_client.create_bucket()
    storage_client.create_bucket()
    assert storage_client.is_up()


def test_an_unavailable_storage_has_a_sentence_for_the_user(settings):
    with_storage_options(settings, endpoint_url="http://127.0.0.1:9")
    assert not storage_client.is_up()
    with pytest.raises(storage_client.StorageUnavailable, match="does not answer"):
        storage_client.read(KEY)
    with pytest.raises(storage_client.StorageUnavailable):
        storage_client.put(KEY, b"pixels", media_type="image/png")


def test_a_wrong_access_key_is_not_taken_for_a_missing_object(settings):
    with_storage_options(settings, secret_key="wrong" * 8)
    with pytest.raises(storage_client.StorageUnavailable) as problem:
        storage_client.read(KEY)
    assert not isinstance(problem.value, storage_client.ObjectMissing)


def test_all_threads_share_one_client():
    assert storage_client.client() is storage_client.client()
    assert storage_client.client().meta.config.max_pool_connections == 50


def with_storage_options(settings, **options):
    images = settings.STORAGES["images"]
    settings.STORAGES = settings.STORAGES | {"images": images | {"OPTIONS": images["OPTIONS"] | options}}
