"""Received images on local disk until they are in object storage, so that no image is paid for twice.

Each worker has a folder, on which it holds a lock (`flock`) until its process ends. In it is one file per
attempt (`spool_files`), which is synced to disk before the generation becomes STORING. A worker that finds an
unlocked folder recovers its images.

If the disk refuses an image, it is kept in memory until it is in object storage or on disk after all: the
caller goes on as with an image on disk, and this worker claims nothing meanwhile.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import math
import os
import shutil
import socket
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from generations.jobs.engine import leases as engine_leases
from generations.jobs.engine import spool_files
from generations.jobs.engine.spool_files import Attempt, SpooledImage
from generations.providers.base import Done, Output, OutputKind

log = logging.getLogger(__name__)

LOCK = "lock"
# An empty folder: workers of older versions delete a dead worker's folder if there is none in it.
NOT_EMPTY = "not-empty"
KEPT_AFTER_STORING = 600  # seconds
MIN_FREE_BYTES = (
    200 * 2**20
)  # claims stop when the disk has less than this and what calls in flight may bring
BYTES_PER_CALL = (
    16 * 2**20
)  # that a call in flight may bring; what is larger goes on in memory if the disk is full
CHECK_INTERVAL = 2.0  # seconds; at full speed 30 images arrive in it
WRITTEN = (OutputKind.TEXT, OutputKind.STYLE)  # outputs that are a text
MAX_UNSTORED = 400  # attempts not stored yet; claims stop above it


def _name_worker() -> None:
    """Give this process a name that no other has."""
    global WORKER  # noqa: PLW0603  a fork is another worker
    WORKER = f"{socket.gethostname()[:30]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


WORKER = ""
_name_worker()
os.register_at_fork(after_in_child=_name_worker)
_folder_lock = threading.Lock()
_own_unstored: dict[Path, set[Attempt]] = defaultdict(set)  # not stored yet, by folder
_in_memory: dict[Attempt, list[SpooledImage]] = {}  # attempts that the disk refused
_usage: dict[str, tuple[float, tuple[int, int]]] = {}
_in_hand: ContextVar[dict[Attempt, list[SpooledImage]] | None] = ContextVar("in_hand", default=None)


@contextmanager
def in_hand() -> Iterator[None]:
    """What this thread writes within the block is read from memory there, where it is anyway."""
    token = _in_hand.set({})
    try:
        yield
    finally:
        _in_hand.reset(token)


def has_room() -> bool:
    """Whether this worker may receive one more: its disk has space for it and for what calls in flight bring.

    False too while the disk refuses images, and if many wait to be stored. Called before every claim, so the
    state of the disk is cached for CHECK_INTERVAL.
    """
    root = str(settings.SPOOL)
    checked_at, (waiting, free) = _usage.get(root, (-math.inf, (0, 0)))
    if not _room(waiting, free) or time.monotonic() - checked_at > CHECK_INTERVAL:
        waiting, free = usage()
        _usage[root] = time.monotonic(), (waiting, free)
    return _room(waiting, free)


def _room(waiting: int, free: int) -> bool:
    in_flight = engine_leases.count_held() + 1
    return not _in_memory and waiting < MAX_UNSTORED and free > MIN_FREE_BYTES + in_flight * BYTES_PER_CALL


def usage() -> tuple[int, int]:
    """The number of this worker's attempts that are not stored yet, and the free bytes of its disk.

    0 bytes if the disk does not answer. Kept in memory, since listing the folder means thousands of stored
    attempts at full speed. Attempts that another worker stored are dropped here.
    """
    try:
        folder = _own_folder(settings.SPOOL)
        for attempt in list(_own_unstored[folder]):
            if not spool_files.path_of(folder, attempt).exists():
                _own_unstored[folder].discard(attempt)
        return len(_own_unstored[folder]) + len(_in_memory), shutil.disk_usage(folder).free
    except OSError:
        log.exception("The spool %s cannot be used", settings.SPOOL)
        return len(_in_memory), 0


def own_unstored() -> set[Attempt]:
    """Return what this worker has not stored yet, without reading its folder."""
    return set(_in_memory) | set(_own_unstored[Path(settings.SPOOL) / WORKER])


def count_unstored() -> int:
    """The number of attempts of all workers on this machine that are not stored yet."""
    return spool_files.count_unstored(Path(settings.SPOOL))


def write(generation: uuid.UUID, attempt: int, done: Done, facts: dict[str, Any]) -> bool:
    """Write received images durably: after return they survive a power cut. False if the disk refused them.

    Then they are kept in memory, and `read` returns them from there. Beside them go `facts` and, of each
    image, what `_facts` returns. Outputs that the provider withheld have nothing to write.
    """
    images = [SpooledImage({**_facts(output), **facts}, _bytes_of(output)) for output in done.kept]
    try:
        _write_attempt(generation, attempt, images)
    except OSError:
        log.exception("The spool refused an image, which goes straight to storage")
        _in_memory[generation, attempt] = images
        return False
    if (in_hand := _in_hand.get()) is not None:
        in_hand[generation, attempt] = images
    return True


def write_refused() -> int:
    """Write to disk what it refused before and is not in object storage yet; how many attempts.

    Raises OSError if it still refuses.
    """
    written = 0
    for (generation, attempt), images in list(_in_memory.items()):
        _write_attempt(generation, attempt, images)
        written += _in_memory.pop((generation, attempt), None) is not None
    return written


def _write_attempt(generation: uuid.UUID, attempt: int, images: list[SpooledImage]) -> None:
    folder = _own_folder(settings.SPOOL)
    spool_files.write(folder, (generation, attempt), images)
    _own_unstored[folder].add((generation, attempt))


def read(generation: uuid.UUID, attempt: int) -> list[SpooledImage]:
    """The images of an attempt, of whichever worker; empty if they are not on this machine."""
    key = generation, attempt
    if kept := (_in_hand.get() or {}).get(key) or _in_memory.get(key):
        return kept
    found = (spool_files.read(entry) for entry in _entries(key))
    return next((images for images in found if images), [])


def earlier_attempt(generation: uuid.UUID, attempt: int) -> int | None:
    """The last attempt before this one whose images are on this machine, for which none is bought again."""
    numbers = {number for pk, number in list(_in_memory) if pk == generation}  # other threads add to it
    for entry in Path(settings.SPOOL).glob(f"*/{generation}-*"):
        if (found := spool_files.attempt_of(entry)) and spool_files.read(entry):
            numbers.add(found[1])
    return max((number for number in numbers if number < attempt), default=None)


def mark_stored(generation: uuid.UUID, attempt: int) -> None:
    """Mark an attempt as stored in object storage and in the library: `delete_stored` may delete it."""
    _in_memory.pop((generation, attempt), None)
    for entry in _entries((generation, attempt)):
        with suppress(FileNotFoundError):  # another worker marks it at the same time
            spool_files.mark_stored(entry)


def _entries(attempt: Attempt) -> Iterable[Path]:
    """Where an attempt is: first looked for in the own folder, since a search reads all folders."""
    own = spool_files.path_of(Path(settings.SPOOL) / WORKER, attempt)
    return [own] if own.exists() else spool_files.find(Path(settings.SPOOL), attempt)


def delete_stored(older_than: float = KEPT_AFTER_STORING) -> int:
    """Delete attempts that were marked as stored more than `older_than` seconds ago; how many."""
    marked = spool_files.stored(Path(settings.SPOOL))
    old = [entry for entry, at in marked if time.time() - at > older_than]
    for entry in old:
        spool_files.delete(entry)
    return len(old)


def unstored_attempts(workers: Iterable[str], older_than: float = -math.inf) -> set[Attempt]:
    """Return what these workers have not stored for `older_than` seconds."""
    found: set[Attempt] = set()
    before = time.time() - older_than
    for worker in workers:
        found |= set(_in_memory) if worker == WORKER else set()
        with suppress(FileNotFoundError):  # another worker may delete it at the same time
            for attempt, entry in spool_files.unstored(Path(settings.SPOOL) / worker):
                if entry.stat().st_mtime < before:
                    found.add(attempt)
    return found


def in_memory() -> set[Attempt]:
    """Return what the disk refused and is not stored yet."""
    return set(_in_memory)


def worker_names() -> list[str]:
    """The names of all workers with a folder on this machine, dead ones included."""
    return [lock.parent.name for lock in Path(settings.SPOOL).glob(f"*/{LOCK}")]


def delete(generation: uuid.UUID, attempt: int) -> None:
    """Delete an attempt that will not be stored."""
    _in_memory.pop((generation, attempt), None)
    for entry in spool_files.find(Path(settings.SPOOL), (generation, attempt)):
        spool_files.delete(entry)


@contextmanager
def lock_dead_workers() -> Iterator[list[str]]:
    """The names of dead workers of this machine, locked so that no other worker recovers them meanwhile.

    Folders without attempts are deleted afterwards.
    """
    found = {folder: lock for folder in _other_workers() if (lock := _lock(folder)) is not None}
    try:
        yield [folder.name for folder in found]
    finally:
        for folder, lock in found.items():
            if {entry.name for entry in folder.iterdir()} <= {LOCK, NOT_EMPTY}:
                shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _own_folder(root: str | Path) -> Path:
    """This worker's folder, created and locked at first use, until the process ends."""
    with _folder_lock:  # two threads at once would both try to lock it
        return _create_and_lock(root)


@cache
def _create_and_lock(root: str | Path) -> Path:
    folder = Path(root) / WORKER
    folder.mkdir(parents=True, exist_ok=True)
    if _lock(folder) is None:  # the descriptor stays open
        raise RuntimeError(f"{folder} is locked by another process.")
    (folder / NOT_EMPTY).mkdir(exist_ok=True)
    spool_files.sync_folder(folder.parent)
    return folder


def _lock(folder: Path) -> int | None:
    """Take the folder's lock; None if its worker is alive."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:  # deleted by another worker just now
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _other_workers() -> Iterator[Path]:
    return (
        folder.parent for folder in Path(settings.SPOOL).glob(f"*/{LOCK}") if folder.parent.name != WORKER
    )


def _bytes_of(output: Output) -> bytes:
    return output.text.encode() if output.kind in WRITTEN else output.data


def _facts(output: Output) -> dict[str, Any]:
    data = _bytes_of(output)
    return {
        "kind": output.kind.value,
        "media_type": "text/plain" if output.kind in WRITTEN else output.media_type,
        "width": output.width,
        "height": output.height,
        "is_animated": output.is_animated,
        "seed": output.seed,
        "finish_reason": output.finish_reason,
        "actions": [asdict(action) for action in output.actions],
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
