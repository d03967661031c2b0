"""`check_library` finds what is missing, orphaned, wrong or outdated, and repairs it only with an option."""

import io
import uuid
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generations.jobs.engine import persist
from generations.jobs.management.commands import check_library
from generations.jobs.models import Generation, Status
from generations.library.delivery import thumbnails
from generations.library.images import service as images_service
from generations.library.maintenance import check as maintenance_check
from generations.library.maintenance import object_check
from generations.library.maintenance.check import Check, Kind
from generations.library.models import DiscardedObject, Image, SearchEntry, Upload
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from generations.library.uploads import input_images
from tests.library.conftest import encoded, pixels
from tests.library.storage import strict_store
from tests.library.storage.test_client import with_storage_options


@pytest.fixture(autouse=True)
def _own_bucket(settings):
    with_storage_options(settings, bucket_name=f"check-{uuid.uuid4()}")
    storage_client.create_bucket()


@pytest.fixture
def later(monkeypatch):
    """Every object is a day older than it is."""
    monkeypatch.setattr(object_check, "MIN_ORPHAN_AGE", timedelta(seconds=-60))
    monkeypatch.setattr("generations.library.trash.purge.MIN_AGE", timedelta(seconds=-60))


def check(*options, expected=0):
    """What the command says; it must exit as expected."""
    said, code = io.StringIO(), 0
    try:
        call_command("check_library", *options, stdout=said)
    except SystemExit as end:
        code = end.code
    assert code == expected, said.getvalue()
    return said.getvalue().splitlines()


def lines(kind, said):
    return [line.partition(": ")[2] for line in said if line.startswith(f"{kind}: ") and "/" in line]


def orphan(key, data=b"x"):
    storage_client.put(key, data, media_type="image/png")
    return key


def test_a_library_without_problems_has_none(member, make_image):
    fox = make_image()
    thumbnails.get_or_make(fox, "small")
    input_images.save_upload(member=member, file=io.BytesIO(encoded(pixels())), name="x.png")
    images_service.trash(member=member, images=[make_image().pk])
    said = check()
    assert said == [
        *("missing: 0", "orphaned: 0", "wrong size: 0", "wrong sha256: 0", "unreadable: 0"),
        *("broken thumbnail: 0", "wrong search entry: 0", "thumbnail not made yet: 3"),
    ]


def test_a_row_without_its_object_is_missing(member, make_image):
    fox, hen = make_image(), make_image()
    storage_client.remove(fox.key)
    for options in ([], ["--quick"]):
        assert lines("missing", check(*options, expected=1)) == [f"{fox.key} ({fox.pk})"]
    assert hen.key not in "".join(check(expected=1))


def test_objects_without_a_row_are_orphaned(member, make_image):
    make_image()
    keys = [
        orphan(f"images/{uuid.uuid4()}/1-abc.png"),
        orphan(f"thumbnails/{uuid.uuid4()}/small.webp"),
        orphan("thumbnails/not-an-id/small.webp"),
        orphan(f"uploads/{member.team_id}/abc.png"),
    ]
    orphan("elsewhere/of-somebody-else.txt")
    found = lines("orphaned", check("--quick", expected=1))
    assert sorted(line.partition(" ")[0] for line in found) == sorted(keys)


def test_changed_bytes_are_found_by_size_or_hash(make_image):
    fox, hen = make_image(), make_image()
    storage_client.put(fox.key, b"shorter", media_type="image/png")
    other = bytearray(storage_client.read(hen.key))
    other[-20] ^= 1
    storage_client.put(hen.key, bytes(other), media_type="image/png")
    said = check(expected=1)
    assert lines("wrong size", said) == [f"{fox.key} ({fox.pk})"]
    assert sorted(lines("wrong sha256", said)) == sorted(f"{row.key} ({row.pk})" for row in (fox, hen))
    assert lines("wrong sha256", check("--quick", expected=1)) == []


def test_an_object_that_cannot_be_read_is_unreadable(make_image, monkeypatch):
    fox, hen, stream = make_image(), make_image(), storage_client.stream

    def cut(key):
        if key == fox.key:
            raise storage_client.StorageUnavailable("cut")
        return stream(key)

    monkeypatch.setattr(storage_client, "stream", cut)
    said = "\n".join(check(expected=1))
    assert f"unreadable: {fox.key}" in said
    assert hen.key not in said


def test_objects_shared_by_rows_are_no_problem(member, teammate):
    data = encoded(pixels())
    for each in (member, teammate):
        input_images.save_upload(member=each, file=io.BytesIO(data), name="x.png")
    assert Upload.objects.values("key").distinct().count() == 1
    check()


# Orphans -------------------------------------------------------------------------------------------


def test_only_old_orphans_are_removed_and_only_with_the_option(member, make_image, request):
    fox = make_image()
    keys = [orphan(f"images/{uuid.uuid4()}/1-abc.png"), orphan(f"uploads/{member.team_id}/abc.png")]
    keys += [orphan(f"thumbnails/{uuid.uuid4()}/small.webp")]
    said = lines("orphaned", check("--quick", "--remove-orphans", expected=1))
    assert all("younger than a day" in line for line in said)
    assert all(map(storage_client.exists, keys))
    request.getfixturevalue("later")
    check("--quick", expected=1)
    assert all(map(storage_client.exists, keys))
    said = check("--quick", "--remove-orphans")
    assert all(line.endswith("- repaired") for line in lines("orphaned", said))
    assert "orphaned: 3, repaired 3" in said
    assert not any(map(storage_client.exists, keys))
    assert storage_client.exists(fox.key)
    assert check("--quick")[1] == "orphaned: 0"


def test_an_object_that_an_unfinished_generation_may_recover_is_no_orphan(submit, upstream, later):
    submit()
    row = Generation.objects.get()
    key = orphan(
        storage_keys.image_key(generation=row.pk, attempt=1, sha256="0" * 64, media_type="image/png")
    )
    for status in (Status.QUEUED, Status.RUNNING, Status.STORING):
        Generation.objects.update(status=status)
        assert persist.still_needed([key, "images/x/y", "uploads/1/x"]) == {key}
        assert check("--quick", "--remove-orphans")[1] == "orphaned: 0"
        assert storage_client.exists(key)
    Generation.objects.update(status=Status.FAILED, ended_at=timezone.now())
    check("--quick", "--remove-orphans")
    assert not storage_client.exists(key)


def test_a_discarded_object_is_no_orphan(member):
    key = orphan(f"uploads/{member.team_id}/abc.png")
    DiscardedObject.objects.create(key=key)
    assert check("--quick")[1] == "orphaned: 0"


def test_an_object_that_gets_its_row_during_the_check_is_no_orphan(member, later, monkeypatch):
    key = orphan(f"uploads/{member.team_id}/abc.png", b"x")
    suspects = object_check._suspects

    def meanwhile(check):
        yield from suspects(check)
        Upload.objects.create(
            team=member.team, owner=member, key=key, sha256="0" * 64, bytes=1, width=1, height=1
        )

    monkeypatch.setattr(object_check, "_suspects", meanwhile)
    assert check("--quick", "--remove-orphans")[1] == "orphaned: 0"
    assert storage_client.exists(key)


# Thumbnails and entries ----------------------------------------------------------------------------


def test_broken_thumbnails_are_made_again_with_repair(make_image):
    fox = make_image()
    small, large = (storage_keys.thumbnail_key(image=fox.pk, size=size) for size in ("small", "large"))
    orphan(small, b"")
    orphan(large, b"no picture")
    assert lines("broken thumbnail", check("--quick", expected=1)) == [small]
    assert sorted(lines("broken thumbnail", check(expected=1))) == sorted([small, large])
    said = check("--repair")
    assert "broken thumbnail: 2, repaired 2" in said
    assert check()[5:] == ["broken thumbnail: 0", "wrong search entry: 0", "thumbnail not made yet: 0"]
    fox.refresh_from_db()
    assert fox.placeholder


def test_a_thumbnail_without_its_original_cannot_be_repaired(make_image):
    fox = make_image()
    orphan(storage_keys.thumbnail_key(image=fox.pk, size="small"), b"")
    storage_client.remove(fox.key)
    assert "broken thumbnail: 1" in check("--quick", "--repair", expected=1)


def test_missing_and_outdated_search_entries_are_made_again_with_repair(member, make_image):
    lacking, lagging, trashed, sound = (make_image(prompt=f"fox {n}") for n in range(4))
    SearchEntry.objects.filter(image=lacking).delete()
    Image.objects.filter(pk=lagging.pk).update(title="Another title")
    Image.objects.filter(pk=trashed.pk).update(trashed_at=timezone.now())
    said = check("--quick", expected=1)
    wrong = {line.partition(": ")[2] for line in said if line.startswith("wrong search entry: ")} - {"3"}
    assert wrong == {str(row.pk) for row in (lacking, lagging, trashed)}
    assert "wrong search entry: 3, repaired 3" in check("--quick", "--repair")
    assert check("--quick")[6] == "wrong search entry: 0"
    assert set(SearchEntry.objects.values_list("image", flat=True)) == {lacking.pk, lagging.pk, sound.pk}


# How it goes about it ----------------------------------------------------------------------------------


def test_one_team_can_be_checked_alone(member, stranger, make_image):
    mine, theirs = make_image(), make_image(stranger)
    storage_client.remove(theirs.key)
    orphan(f"uploads/{stranger.team_id}/abc.png")
    orphan(f"thumbnails/{theirs.pk}/small.webp", b"")
    check("--team", member.team.slug)
    assert lines("missing", check("--team", stranger.team.name.upper(), expected=1)) == [
        f"{theirs.key} ({theirs.pk})"
    ]
    assert mine.key not in "".join(check(expected=1))
    with pytest.raises(CommandError, match="no team"):
        check("--team", "Nobody")


def test_every_batch_size_finds_the_same(member, make_image, monkeypatch):
    made = [make_image() for _ in range(7)]
    for image in made[::2]:
        storage_client.remove(image.key)
    strays = [orphan(f"thumbnails/{uuid.uuid4()}/small.webp") for _ in range(5)]
    for image in made:
        if storage_client.exists(image.key):
            thumbnails.get_or_make(image, "small")
    for size in (1, 2, 3, 500):
        monkeypatch.setattr(maintenance_check, "BATCH_SIZE", size)
        found = list(check_library.find_problems(Check(is_quick=True)))
        assert [each.subject for each in found if each.kind == Kind.MISSING] == sorted(
            image.key for image in made[::2]
        )
        assert sorted(each.subject for each in found if each.kind == Kind.ORPHANED) == sorted(strays)


def test_the_number_of_queries_grows_with_batches_and_not_with_images(make_image):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            check()
        return len(asked)

    make_image()
    for_one = queries()
    for _ in range(10):
        make_image()
    assert queries() == for_one


def test_without_storage_the_command_says_so(make_image, settings):
    make_image()
    with_storage_options(settings, endpoint_url="http://127.0.0.1:9")
    with pytest.raises(CommandError, match="does not answer"):
        call_command("check_library", "--quick")


def test_a_key_that_may_not_list_is_said_and_each_object_is_asked_for(member, make_image, settings):
    fox, hen, owl = make_image(), make_image(), make_image()
    thumbnails.get_or_make(owl, "small")
    thumbnails.get_or_make(owl, "large")
    orphan(f"images/{uuid.uuid4()}/1-abc.png")
    storage_client.remove(fox.key)
    storage_client.put(hen.key, b"shorter", media_type="image/png")
    storage_client.put(storage_keys.thumbnail_key(image=owl.pk, size="large"), b"", media_type="image/webp")
    access_key = settings.STORAGES["images"]["OPTIONS"]["access_key"]
    with strict_store.running(storage_client.client(), access_key, no_list=True) as server:
        with_storage_options(settings, **server.options)
        said = check(expected=1)
        assert said[0] == check_library.NO_LISTING
        assert lines("missing", said) == [f"{fox.key} ({fox.pk})"]
        assert lines("wrong size", said) == [f"{hen.key} ({hen.pk})"]
        assert lines("broken thumbnail", said) == [storage_keys.thumbnail_key(image=owl.pk, size="large")]
        assert {"orphaned: 0", "unreadable: 0", "thumbnail not made yet: 4"} <= set(said)
        assert server.listings == 1, "to find out that it may not list"
        with pytest.raises(CommandError, match="may list the bucket"):
            check("--remove-orphans")


def test_a_store_that_refuses_everything_is_not_taken_for_one_that_does_not_list(make_image, settings):
    make_image()
    access_key = settings.STORAGES["images"]["OPTIONS"]["access_key"]
    with strict_store.running(storage_client.client(), access_key, no_list=True) as server:
        with_storage_options(settings, **server.options, access_key="somebody-else")
        said = io.StringIO()
        with pytest.raises(CommandError, match="does not answer"):
            call_command("check_library", stdout=said)
        assert not said.getvalue()
