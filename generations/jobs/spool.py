"""Where a paid image lies between the provider and object storage, so that it is never bought twice.

One folder per attempt: the images, and last a sidecar that says what they are. What has no
sidecar was not received whole. Files and folders are synced before the row says `storing`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generations.providers.base import Done, ReceivedImage

SIDECAR = "received.json"
KEPT = 600  # seconds after the image was stored
ROOM = 200 * 2**20  # bytes; claims stop when the disk has less


@dataclass(frozen=True)
class Spooled:
    """One received image on disk, with what was known of it when it came."""

    path: Path
    facts: dict[str, Any]  # media_type, width, height, seed, sha256, bytes

    def read(self) -> bytes:
        """The bytes that the provider sent."""
        return self.path.read_bytes()


def has_room() -> bool:
    """Whether the disk takes what a worker may still receive."""
    root = Path(settings.SPOOL)
    root.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(root).free > ROOM


def write(generation: uuid.UUID, attempt: int, done: Done, facts: dict[str, Any]) -> None:
    """Keep what came, durably: on return it survives a crash. Raises OSError when the disk is full."""
    folder = _folder(generation, attempt)
    folder.mkdir(parents=True, exist_ok=True)
    images = []
    for position, image in enumerate(done.images):
        name = f"{position}.image"
        _write(folder / name, image.data)
        images.append({"name": name, **_about(image), **facts})
    _write(folder / SIDECAR, json.dumps({"images": images}).encode())
    _sync(folder)
    _sync(folder.parent)


def read(generation: uuid.UUID, attempt: int) -> list[Spooled]:
    """The images of an attempt; empty if they are not on this machine."""
    folder = _folder(generation, attempt)
    try:
        images = json.loads((folder / SIDECAR).read_bytes())["images"]
    except FileNotFoundError:
        return []
    return [Spooled(folder / image["name"], image) for image in images]


def forget_older(than: float = KEPT) -> int:
    """Remove what `mark_stored` marked more than `than` seconds ago; how many."""
    gone = 0
    for folder in _folders():
        if (folder / "stored").exists() and time.time() - (folder / "stored").stat().st_mtime > than:
            shutil.rmtree(folder)
            gone += 1
    return gone


def mark_stored(generation: uuid.UUID, attempt: int) -> None:
    """Its images are in object storage and in the library; `forget_older` may remove them later."""
    folder = _folder(generation, attempt)
    if folder.is_dir():
        (folder / "stored").touch()


def _about(image: ReceivedImage) -> dict[str, Any]:
    return {
        "media_type": image.media_type,
        "width": image.width,
        "height": image.height,
        "seed": image.seed,
        "bytes": len(image.data),
        "sha256": hashlib.sha256(image.data).hexdigest(),
    }


def _folder(generation: uuid.UUID, attempt: int) -> Path:
    return Path(settings.SPOOL) / f"{generation}-{attempt}"


def _folders() -> Iterator[Path]:
    root = Path(settings.SPOOL)
    return (folder for folder in root.iterdir() if folder.is_dir()) if root.is_dir() else iter(())


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
