"""The spool of a worker."""

from __future__ import annotations

import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from generations.jobs.engine import spool
from generations.providers.base import Done, ReceivedImage

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
    picture = ReceivedImage(b"a picture", "image/png", width=64, height=64)
    spool.write(generation, 1, Done((picture,)), {})
    [image] = spool.read(generation, 1)
    folder = image.path.parent
    assert synced[-4:] == [image.path, folder / spool.SIDECAR, folder, folder.parent]
