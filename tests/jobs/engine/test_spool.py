"""The spool of a worker."""

from __future__ import annotations

import os
import shutil
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from django.utils import timezone

from generations.credits import integrity_check
from generations.jobs.engine import claim as engine_claim
from generations.jobs.engine import leases as engine_leases
from generations.jobs.engine import run as engine_run
from generations.jobs.engine import spool, spool_files, sweeper
from generations.jobs.models import Attempt, Generation
from generations.library.models import Image
from generations.library.storage import client as storage_client
from generations.providers.base import Done, Output
from tests.conftest import statuses

THREADS = 12
PICTURE = Output(b"a picture", "image/png", width=64, height=64)


def test_threads_that_start_at_once_share_their_workers_folder(settings, tmp_path):
    """Each round is a worker's first moment, when nobody has made the folder yet."""

    def ask(_thread: int) -> bool:
        together.wait()
        return spool.has_room()

    together = Barrier(THREADS)
    with ThreadPoolExecutor(THREADS) as threads:
        for number in range(20):
            settings.SPOOL = tmp_path / f"spool-{number}"
            assert all(threads.map(ask, range(THREADS)))


def test_a_received_image_is_whole_and_synced_to_disk_before_the_folder_that_names_it(settings, monkeypatch):
    """What is known of it is in the same file, so that there are two syncs for a picture."""
    synced, sync, generation = [], os.fsync, uuid.uuid4()
    spool.has_room()  # the worker's folder is made and synced

    def noted(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced.append((path, path.is_dir() or path.read_bytes()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    assert spool.write(generation, 1, Done((PICTURE,)), {})
    file = spool_files.path_of(settings.SPOOL / spool.WORKER, (generation, 1))
    assert synced == [(file, file.read_bytes()), (file.parent, True)]
    assert file.read_bytes().endswith(PICTURE.data)


@pytest.mark.parametrize("damage", [b"", b"{", b"a pictura"])
def test_an_image_that_was_not_written_to_its_end_was_not_received(settings, damage):
    """Cut off anywhere, or with bytes that a power cut left empty."""
    generation = uuid.uuid4()
    spool.write(generation, 1, Done((PICTURE,)), {})
    file = spool_files.path_of(settings.SPOOL / spool.WORKER, (generation, 1))
    whole = file.read_bytes()
    assert [image.data for image in spool.read(generation, 1)] == [PICTURE.data]
    file.write_bytes(whole[: -len(PICTURE.data)] + damage if damage != b"{" else damage)
    assert spool.read(generation, 1) == []
    assert spool.earlier_attempt(generation, 2) is None


def test_several_images_of_an_attempt_are_read_apart():
    generation = uuid.uuid4()
    outputs = tuple(Output(data, "image/png") for data in (b"one\n", b"", b"three"))
    spool.write(generation, 1, Done(outputs), {"cost": 3})
    images = spool.read(generation, 1)
    assert [image.data for image in images] == [output.data for output in outputs]
    assert [image.facts["cost"] for image in images] == [3, 3, 3]


def test_a_spool_that_an_older_version_left_is_read_marked_and_deleted(settings):
    """It had a folder for each attempt, with a file for each image and one that says what they are."""
    generation, worker = uuid.uuid4(), "older-worker"
    folder = settings.SPOOL / worker / f"{generation}-1"
    folder.mkdir(parents=True)
    (folder / "0.image").write_bytes(b"a picture")
    assert spool.read(generation, 1) == []  # not received whole
    assert spool.earlier_attempt(generation, 2) is None
    assert spool.count_unstored() == 0
    (folder / "received.json").write_text('{"images": [{"name": "0.image", "cost": 3}]}')
    [image] = spool.read(generation, 1)
    assert (image.data, image.facts["cost"]) == (b"a picture", 3)
    assert spool.earlier_attempt(generation, 2) == 1
    assert spool.unstored_attempts([worker]) == {(generation, 1)}
    assert spool.count_unstored() == 1
    spool.mark_stored(generation, 1)
    assert (folder / "stored").exists()
    assert spool.unstored_attempts([worker]) == set()
    assert spool.count_unstored() == 0
    assert spool.read(generation, 1)  # a power cut may undo what the database was told
    assert spool.delete_stored() == 0
    assert spool.delete_stored(older_than=-1) == 1
    assert not folder.exists()


def test_a_worker_of_an_older_version_does_not_take_a_dead_workers_folder_for_empty(settings):
    """It counts folders, one for each attempt, and deletes the whole if there are none."""
    spool.write(uuid.uuid4(), 1, Done((PICTURE,)), {})
    assert any(entry.is_dir() for entry in (settings.SPOOL / spool.WORKER).iterdir())


@pytest.fixture
def refusing(submit, upstream):
    """A claimed generation whose attempt the disk refuses: a folder is in the place of its file."""
    batch = submit()
    claim, _more = engine_claim.claim_next()
    in_the_way = spool_files.path_of(spool.settings.SPOOL / spool.WORKER, (claim.generation.pk, 1))
    in_the_way.mkdir()
    yield batch, claim, in_the_way
    assert integrity_check.problems() == []
    assert not spool.in_memory()


@pytest.mark.django_db(transaction=True)
def test_an_image_that_the_spool_refuses_goes_straight_to_storage_and_is_not_bought_again(refusing, provider):
    batch, claim, _path = refusing
    engine_run.run(claim)
    assert statuses(batch) == ["succeeded"]
    [call] = provider.calls()
    assert Image.objects.get().sha256 == call["sha256"]
    assert list(Attempt.objects.values_list("outcome", "cost")) == [("ok", 300)]


@pytest.mark.django_db(transaction=True)
def test_an_image_that_spool_and_storage_refuse_waits_in_memory_and_nothing_new_is_claimed(
    refusing, provider, submit, monkeypatch
):
    batch, claim, in_the_way = refusing
    with monkeypatch.context() as away:
        away.setattr(storage_client, "put", _storage_is_away)
        engine_run.run(claim)
        assert statuses(batch) == ["storing"]
        assert not spool.has_room()
        submit()
        assert engine_claim.claim_next() == (None, 0)
        in_the_way.rmdir()  # the disk takes images again, and storage does not
        assert sweeper.store_refused() == 0
        assert in_the_way.is_file()
    Generation.objects.filter(status="storing").update(lease_until=timezone.now() - timedelta(seconds=1))
    assert sweeper.store_spooled() == 1
    assert statuses(batch) == ["succeeded"]
    assert len(provider.calls()) == 1


@pytest.mark.django_db(transaction=True)
def test_an_image_in_memory_is_stored_as_soon_as_storage_is_back(refusing, provider, monkeypatch):
    batch, claim, _path = refusing
    with monkeypatch.context() as away:
        away.setattr(storage_client, "put", _storage_is_away)
        engine_run.run(claim)
        assert sweeper.store_refused() == 1
    assert sweeper.store_refused() == 0
    assert statuses(batch) == ["succeeded"]
    assert len(provider.calls()) == 1


def test_the_reserve_of_the_disk_follows_the_calls_in_flight(monkeypatch):
    """What 240 calls bring fits beside the least that must stay free."""
    free = spool.MIN_FREE_BYTES + 3 * spool.BYTES_PER_CALL + 1
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(2 * free, free, free))
    assert spool.has_room()
    rows = [(uuid.uuid4(), 1) for _ in range(3)]
    with engine_leases.renewing(*rows[0]), engine_leases.renewing(*rows[1]):
        assert spool.has_room()
        with engine_leases.renewing(*rows[2]):
            assert not spool.has_room()
    assert spool.has_room()


def test_a_spool_that_cannot_be_used_has_no_room(settings, tmp_path):
    (tmp_path / "file").write_text("in the way")
    settings.SPOOL = tmp_path / "file" / "spool"
    assert not spool.has_room()
    assert spool.usage() == (0, 0)


def test_a_folder_of_another_name_in_a_spool_hides_no_image(settings):
    generation = uuid.uuid4()
    spool.write(generation, 1, Done((PICTURE,)), {})
    (settings.SPOOL / spool.WORKER / "lost+found").mkdir()
    assert spool.unstored_attempts([spool.WORKER]) == {(generation, 1)}


def _storage_is_away(*_arguments, **_options):
    raise storage_client.StorageUnavailable("connection refused")
