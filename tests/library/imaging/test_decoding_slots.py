"""Few pictures are decoded at once, and nobody waits for a place without an end."""

import io
from contextlib import ExitStack

import pytest

from generations.library.archives import entries as archives_entries
from generations.library.archives import service as archives_service
from generations.library.delivery import signed_urls, thumbnails
from generations.library.imaging import decode
from generations.library.imaging.convert import OutputFormat
from generations.library.sharing import service as sharing_service
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from tests.api.client import ApiClient, error
from tests.library.conftest import address, encoded, pixels
from tests.library.share_links import path_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def all_taken(monkeypatch):
    """Every place for decoding is taken; call it to free them."""
    monkeypatch.setattr(decode, "WAIT_SECONDS", 0.05)
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(decode.open_image(encoded(pixels())))
        yield held.close


def refused(response):
    return response.status_code == 503 and int(response["Retry-After"]) > 0


def test_pictures_are_refused_for_now_while_all_places_are_taken(
    sign_in, visitor, member, make_image, all_taken
):
    image, client, api = make_image(), sign_in(member), ApiClient(member)
    share = sharing_service.share_image(member=member, image=image.pk)
    addresses = [
        signed_urls.thumbnail_url(image, "small", member, client.session.session_key),
        f"{address('download', member, image.pk)}?format=jpeg",
    ]
    for path in addresses:
        assert refused(client.get(path)), path
    assert refused(visitor.get(path_of(share, image.pk, "large")))
    for path in (f"/images/{image.pk}/thumbnail", f"/images/{image.pk}/download?format=webp"):
        response = api.get(path)
        assert refused(response), path
        assert error(response) == (503, "busy")
    all_taken()
    assert {client.get(path).status_code for path in addresses} == {200}
    assert visitor.get(path_of(share, image.pk, "large")).status_code == 200


def test_uploads_are_refused_for_now_while_all_places_are_taken(sign_in, member, all_taken):
    client, file = sign_in(member), encoded(pixels())

    def send(name):
        return client.post(address(name, member), {"image": io.BytesIO(file)})

    response = send("upload")
    assert refused(response)
    assert "Please try again" in response.json()["error"]
    assert "Please try again" in send("upload_images").content.decode()
    all_taken()
    assert [send(name).status_code for name in ("upload", "upload_images")] == [200, 200]


def test_a_zip_waits_longer_for_its_turn(member, make_image, all_taken, monkeypatch):
    image = make_image()
    archive = archives_service.create(member=member, images=[image.pk], output=OutputFormat("jpeg"))
    [entry] = archives_service.make_plan(member=member, archive=archive).entries
    tried = []

    def free_places_at_the_third(*arguments):
        tried.append(arguments)
        if len(tried) == 3:
            all_taken()
        return convert(*arguments)

    convert = archives_entries.imaging_convert.convert
    monkeypatch.setattr(archives_entries.imaging_convert, "convert", free_places_at_the_third)
    [(_name, data)] = archives_entries.read_entry(entry, image, OutputFormat("jpeg"))
    assert data.startswith(b"\xff\xd8\xff")
    assert len(tried) == 3


def test_a_zip_that_gets_no_turn_says_why(member, make_image, all_taken, monkeypatch):
    image = make_image()
    archive = archives_service.create(member=member, images=[image.pk], output=OutputFormat("jpeg"))
    [entry] = archives_service.make_plan(member=member, archive=archive).entries
    with pytest.raises(archives_entries.EntryFailed) as failed:
        archives_entries.read_entry(entry, image, OutputFormat("jpeg"))
    assert "Too many pictures were being worked on" in archives_entries.failure_reason(failed.value)


def test_who_waits_for_a_thumbnail_that_another_makes_does_not_wait_for_ever(member, make_image, monkeypatch):
    image = make_image()
    monkeypatch.setattr(thumbnails, "SHARED_SECONDS", 0.05)
    name = f"{image.pk}/small"
    thumbnails._running[name] = thumbnails.Future()
    try:
        with pytest.raises(decode.DecodingBusy):
            thumbnails.get_or_make(image, "small")
    finally:
        del thumbnails._running[name]
    assert thumbnails.get_or_make(image, "small")
    assert storage_client.exists(storage_keys.thumbnail_key(image=image.pk, size="small"))
