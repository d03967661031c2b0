"""The folder in which a worker keeps what was paid for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from generations.jobs.engine import spool

THREADS = 12


def test_threads_that_begin_together_share_their_workers_folder(settings, tmp_path):
    """Each round is a worker's first moment, when nobody has made the folder yet."""

    def ask(_thread: int) -> bool:
        together.wait()
        return spool.has_room()

    together = Barrier(THREADS)
    with ThreadPoolExecutor(THREADS) as threads:
        for number in range(20):
            settings.SPOOL = tmp_path / f"spool-{number}"
            assert all(threads.map(ask, range(THREADS)))
