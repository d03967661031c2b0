"""Where a paid image lies between the provider and object storage, so that it is never bought twice.

A worker is its folder: it holds the folder's lock (`flock`) as long as it lives, however it ends.
In it is one folder per attempt: the images, and last a sidecar that says what they are. What has
no sidecar was not received whole. All is synced before the row says `storing`. Whoever finds a
folder that nobody holds adopts what is in it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import os
import shutil
import socket
import threading
import time
import uuid
from collections import defaultdict
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generations.providers.base import Done, ReceivedImage

SIDECAR, STORED, LOCK = "received.json", "stored", "lock"
KEPT = 600  # seconds after the image was stored
ROOM = 200 * 2**20  # bytes; claims stop when the disk has less
REMEMBERED = 2.0  # seconds; at a full engine 30 pictures
MOST_WAITING = 400  # attempts not stored yet; claims stop above it

WORKER = f"{socket.gethostname()[:30]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
_making = threading.Lock()
_unstored: dict[Path, set[str]] = defaultdict(set)  # what this worker wrote and nobody stored, by folder
_room: dict[str, tuple[float, bool]] = {}


@dataclass(frozen=True)
class Spooled:
    """One received image on disk, with what was known of it when it came."""

    path: Path
    facts: dict[str, Any]

    def read(self) -> bytes:
        """The bytes that the provider sent."""
        return self.path.read_bytes()


def has_room() -> bool:
    """Whether this worker may receive more: the disk takes it, and storage keeps up.

    Asked before every call, so looked up once in a while.
    """
    root = str(settings.SPOOL)
    looked_at, room = _room.get(root, (-math.inf, False))
    if not room or time.monotonic() - looked_at > REMEMBERED:
        waiting, free = state()
        room = waiting < MOST_WAITING and free > ROOM
        _room[root] = time.monotonic(), room
    return room


def state() -> tuple[int, int]:
    """How many attempts this worker has not stored yet, and how many bytes its disk still takes.

    Remembered rather than counted: at a full engine its folder has thousands that were stored. What
    another worker stored for this one is noticed here.
    """
    mine = _mine(settings.SPOOL)
    for name in list(_unstored[mine]):
        if (mine / name / STORED).exists() or not (mine / name).exists():
            _unstored[mine].discard(name)
    return len(_unstored[mine]), shutil.disk_usage(mine).free


def waiting() -> int:
    """How many attempts of all workers on this machine are not stored yet."""
    sidecars = Path(settings.SPOOL).glob(f"*/*/{SIDECAR}")
    return sum(1 for sidecar in sidecars if not sidecar.with_name(STORED).exists())


def write(generation: uuid.UUID, attempt: int, done: Done, facts: dict[str, Any]) -> None:
    """Keep what came, durably: on return it survives a crash. Raises OSError when the disk is full.

    `facts` go beside what is known of each image: media_type, width, height, seed, bytes, sha256.
    """
    folder = _mine(settings.SPOOL) / f"{generation}-{attempt}"
    folder.mkdir(exist_ok=True)
    _unstored[folder.parent].add(folder.name)
    images = []
    for position, image in enumerate(done.images):
        name = f"{position}.image"
        _write(folder / name, image.data)
        images.append({"name": name, **_about(image), **facts})
    _write(folder / SIDECAR, json.dumps({"images": images}).encode())
    _sync(folder)
    _sync(folder.parent)


def read(generation: uuid.UUID, attempt: int) -> list[Spooled]:
    """The images of an attempt, whichever worker received it; empty if they are not on this machine."""
    for sidecar in Path(settings.SPOOL).glob(f"*/{generation}-{attempt}/{SIDECAR}"):
        images = json.loads(sidecar.read_bytes())["images"]
        return [Spooled(sidecar.with_name(image["name"]), image) for image in images]
    return []


def mark_stored(generation: uuid.UUID, attempt: int) -> None:
    """Its images are in object storage and in the library; `forget_older` may remove them later."""
    for sidecar in Path(settings.SPOOL).glob(f"*/{generation}-{attempt}/{SIDECAR}"):
        sidecar.with_name(STORED).touch()


def forget_older(than: float = KEPT) -> int:
    """Remove what `mark_stored` marked more than `than` seconds ago; how many attempts."""
    old = [
        mark.parent
        for mark in Path(settings.SPOOL).glob(f"*/*/{STORED}")
        if time.time() - mark.stat().st_mtime > than
    ]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)  # another worker may forget it at the same time
    return len(old)


def unstored(workers: Iterable[str], than: float = -math.inf) -> set[tuple[uuid.UUID, int]]:
    """Generation and attempt of what these workers have not stored, older than so many seconds."""
    found, before = set(), time.time() - than
    for worker in workers:
        with suppress(FileNotFoundError):  # another worker may forget it at the same time
            for folder in _attempts(Path(settings.SPOOL) / worker):
                if not (folder / STORED).exists() and folder.stat().st_mtime < before:
                    generation, _, attempt = folder.name.rpartition("-")
                    found.add((uuid.UUID(generation), int(attempt)))
    return found


def workers() -> list[str]:
    """The names of all workers on this machine, dead ones too."""
    return [lock.parent.name for lock in Path(settings.SPOOL).glob(f"*/{LOCK}")]


def forget(generation: uuid.UUID, attempt: int) -> None:
    """Remove what nobody will ever store."""
    for folder in Path(settings.SPOOL).glob(f"*/{generation}-{attempt}"):
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def abandoned() -> Iterator[list[str]]:
    """The names of workers on this machine that are dead; nobody else adopts them meanwhile.

    Those whose folders hold nothing any more are forgotten afterwards.
    """
    found = {folder: lock for folder in _workers() if (lock := _lock(folder)) is not None}
    try:
        yield [folder.name for folder in found]
    finally:
        for folder, lock in found.items():
            if not any(_attempts(folder)):
                shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _mine(root: str | Path) -> Path:
    """This worker's folder, made and locked at first use, until the process ends."""
    with _making:  # two threads that come first together would lock each other out
        return _made_and_locked(root)


@cache
def _made_and_locked(root: str | Path) -> Path:
    folder = Path(root) / WORKER
    folder.mkdir(parents=True, exist_ok=True)
    if _lock(folder) is None:  # the descriptor stays open
        raise RuntimeError(f"{folder} is held by another process.")
    _sync(folder.parent)
    return folder


def _lock(folder: Path) -> int | None:
    """Take the folder's lock; None if its worker lives."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:  # somebody forgot it just now
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _workers() -> Iterator[Path]:
    return (
        folder.parent for folder in Path(settings.SPOOL).glob(f"*/{LOCK}") if folder.parent.name != WORKER
    )


def _attempts(worker: Path) -> Iterator[Path]:
    return (folder for folder in worker.iterdir() if folder.is_dir())


def _about(image: ReceivedImage) -> dict[str, Any]:
    return {
        "media_type": image.media_type,
        "width": image.width,
        "height": image.height,
        "seed": image.seed,
        "bytes": len(image.data),
        "sha256": hashlib.sha256(image.data).hexdigest(),
    }


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
