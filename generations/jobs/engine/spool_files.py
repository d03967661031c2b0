"""How received images lie in a worker's folder: one file for each attempt, `<generation>-<attempt>.received`.

Its first line is JSON and says what the images are; their bytes follow. Once they are in object storage its
name ends in `.stored`. A file counts only if each image in it has the SHA-256 that the first line says, since
one that was not written to its end was not received.

Older versions made a folder for each attempt: a file for each image, last a sidecar with their facts, and a
mark once they were stored. These are read, marked and deleted as well.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RECEIVED, STORED = ".received", ".stored"
OLD_SIDECAR, OLD_STORED = "received.json", "stored"

Attempt = tuple[uuid.UUID, int]  # the generation, and the number of its attempt


@dataclass(frozen=True)
class SpooledImage:
    """One received image as the provider sent it, with its facts."""

    facts: dict[str, Any]
    data: bytes


def write(worker: Path, attempt: Attempt, images: Sequence[SpooledImage]) -> None:
    """Write the images durably: after return they survive a power cut.

    Raises OSError if the disk refuses them; then nothing is left of them, since others may need the space.
    """
    path = path_of(worker, attempt)
    try:
        with path.open("wb") as file:
            file.write(json.dumps({"images": [image.facts for image in images]}).encode() + b"\n")
            for image in images:
                file.write(image.data)
            file.flush()
            _sync(file.fileno())
        sync_folder(worker)
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise


def read(entry: Path) -> list[SpooledImage]:
    """The images of an attempt; none if it was not received whole, or is deleted."""
    if entry.is_dir():
        return _read_old(entry)
    with suppress(FileNotFoundError):
        try:
            return _split(entry.read_bytes())
        except FileNotFoundError:  # stored just now
            return _split(entry.with_suffix(STORED).read_bytes())
    return []


def _split(content: bytes) -> list[SpooledImage]:
    first_line, _, _ = content.partition(b"\n")
    try:
        facts = json.loads(first_line)["images"]
    except (ValueError, KeyError):
        return []
    images, end = [], len(first_line) + 1
    for each in facts:
        begin, end = end, end + each["bytes"]
        images.append(SpooledImage(each, content[begin:end]))
    is_whole = all(hashlib.sha256(image.data).hexdigest() == image.facts["sha256"] for image in images)
    return images if is_whole else []


def _read_old(folder: Path) -> list[SpooledImage]:
    with suppress(FileNotFoundError):
        images = json.loads((folder / OLD_SIDECAR).read_bytes())["images"]
        return [SpooledImage(facts, (folder / facts["name"]).read_bytes()) for facts in images]
    return []


def path_of(worker: Path, attempt: Attempt) -> Path:
    """Where a worker keeps what it received in an attempt, until that is stored."""
    return worker / f"{attempt[0]}-{attempt[1]}{RECEIVED}"


def attempt_of(entry: Path) -> Attempt | None:
    """Return (generation, attempt) of a file or folder; None for one that is not ours."""
    generation, _, number = entry.stem.rpartition("-")
    try:
        return uuid.UUID(generation), int(number)
    except ValueError:
        return None


def find(root: Path, attempt: Attempt) -> Iterator[Path]:
    """The entries of an attempt, of whichever workers."""
    for ending in (RECEIVED, STORED, ""):
        yield from root.glob(f"*/{attempt[0]}-{attempt[1]}{ending}")


def unstored(worker: Path) -> Iterator[tuple[Attempt, Path]]:
    """The attempts of a worker that are not stored, those that were not received whole among them."""
    for entry in worker.iterdir():
        attempt = attempt_of(entry)
        if attempt is not None and not _is_stored(entry):
            yield attempt, entry


def count_unstored(root: Path) -> int:
    """The number of received attempts of all workers that are not stored yet."""
    old = sum(not sidecar.with_name(OLD_STORED).exists() for sidecar in root.glob(f"*/*/{OLD_SIDECAR}"))
    return old + sum(1 for _entry in root.glob(f"*/*{RECEIVED}"))


def stored(root: Path) -> Iterator[tuple[Path, float]]:
    """The stored attempts of all workers, and when each was marked as stored."""
    marks = [(each, each) for each in root.glob(f"*/*{STORED}")]
    marks += [(mark.parent, mark) for mark in root.glob(f"*/*/{OLD_STORED}")]
    for entry, mark in marks:
        with suppress(FileNotFoundError):  # another worker may delete it at the same time
            yield entry, mark.stat().st_mtime


def _is_stored(entry: Path) -> bool:
    return entry.suffix == STORED or (entry / OLD_STORED).exists()


def mark_stored(entry: Path) -> None:
    """Mark an attempt as stored, at this moment."""
    if entry.is_dir():
        (entry / OLD_STORED).touch()
    else:
        os.utime(entry)
        entry.rename(entry.with_suffix(STORED))


def delete(entry: Path) -> None:
    """Delete an attempt; another worker may do so at the same time."""
    if entry.is_dir():
        shutil.rmtree(entry, ignore_errors=True)
    else:
        entry.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _sync(descriptor: int) -> None:
    os.fsync(descriptor)
