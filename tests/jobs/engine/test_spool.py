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
from generations.jobs.engine import spool, sweeper
from generations.jobs.models import Attempt, Generation
from generations.library.models import Image
from generations.library.storage import client as storage_client
from generations.providers.base import Done, Output
from tests.conftest import statuses

THREADS = 12


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


def test_a_received_image_is_synced_to_disk_before_its_sidecar_and_folder(monkeypatch):
    """Image, what is known of it, and the folders that name both: each is synced, in that order."""
    synced, sync, generation = [], os.fsync, uuid.uuid4()

    def noted(descriptor: int) -> None:
        sync(descriptor)
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    monkeypatch.setattr(os, "fsync", noted)
    picture = Output(b"a picture", "image/png", width=64, height=64)
    spool.write(generation, 1, Done((picture,)), {})
    [image] = spool.read(generation, 1)
    folder = image.path.parent
    assert synced[-4:] == [image.path, folder / spool.SIDECAR, folder, folder.parent]


@pytest.fixture
def refusing(submit, upstream):
    """A claimed generation whose attempt the disk refuses: a file is in the place of its folder."""
    batch = submit()
    claim, _more = engine_claim.claim_next()
    in_the_way = spool.Path(spool.settings.SPOOL) / spool.WORKER / f"{claim.generation.pk}-1"
    in_the_way.write_bytes(b"in the way")
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
        in_the_way.unlink()  # the disk takes images again, and storage does not
        assert sweeper.store_refused() == 0
        assert in_the_way.joinpath(spool.SIDECAR).exists()
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
    picture = Output(b"a picture", "image/png", width=64, height=64)
    spool.write(generation, 1, Done((picture,)), {})
    (settings.SPOOL / spool.WORKER / "lost+found").mkdir()
    assert spool.unstored_attempts([spool.WORKER]) == {(generation, 1)}


def _storage_is_away(*_arguments, **_options):
    raise storage_client.StorageUnavailable("connection refused")
