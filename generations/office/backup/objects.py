"""Copy objects between object storage and a backup's folder, by key, each compared with its SHA-256."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import IO

from django.utils.translation import gettext as _

from generations.library.maintenance.check import batched
from generations.library.storage import client as storage_client
from generations.office.backup.folder import Folder, Lookup, StoredObject, hash_of, written

THREADS = 8
HASH_IN_KEY = re.compile(r"-([0-9a-f]{64})\.\w+$")  # images/<generation>/<attempt>-<sha256>.<ext>


@dataclass(frozen=True)
class Copied:
    """The outcome for one object; `problem` is "" if it is where it should be, with the right bytes."""

    stored: StoredObject
    was_there: bool = False
    problem: str = ""
    is_missing: bool = False


def copy_to_folder(folder: Folder, wanted: Iterable[StoredObject], *, quick: bool) -> Iterator[Copied]:
    """Bring every object into the folder, in the order given, which must be that of the keys' bytes.

    An object that is there with the same SHA-256 is not copied again; with `quick` the same size is enough.
    Raises StorageUnavailable.
    """
    known = Lookup(folder.all_listed())
    with ThreadPoolExecutor(THREADS) as threads:
        for batch in batched(wanted):
            pairs = [(each, known.find(each.key)) for each in batch]
            yield from threads.map(lambda pair: _to_folder(folder, *pair, quick=quick), pairs)


def of_unfinished(generations: Iterable[uuid.UUID]) -> list[StoredObject]:
    """What storage has of generations that have no image yet: their pictures are paid for."""
    with ThreadPoolExecutor(THREADS) as threads:
        found = threads.map(lambda pk: list(storage_client.list_objects(f"images/{pk}/")), generations)
        listed = [each for objects in found for each in objects]
    hashes = {each.key: match[1] for each in listed if (match := HASH_IN_KEY.search(each.key))}
    return [StoredObject(each.key, hashes[each.key], each.size, "") for each in listed if each.key in hashes]


def copy_to_storage(folder: Folder, name: str) -> Iterator[Copied]:
    """Store every object of a list, unless storage has it with these bytes. Raises StorageUnavailable."""
    with ThreadPoolExecutor(THREADS) as threads:
        for batch in batched(folder.listed(name)):
            yield from threads.map(lambda stored: _to_storage(folder, stored), batch)


def _to_folder(folder: Folder, wanted: StoredObject, known: StoredObject | None, *, quick: bool) -> Copied:
    path = folder.object_path(wanted.key)
    if known and known.sha256 == wanted.sha256 and path.is_file():
        same = path.stat().st_size == wanted.bytes and (quick or hash_of(path) == wanted.sha256)
        if same:
            return Copied(known, was_there=True)
    try:
        info = storage_client.head(wanted.key)
        with written(path) as file:
            _copy_bytes(wanted, file)
    except storage_client.ObjectMissing:
        return Copied(wanted, problem=_("missing"), is_missing=True)
    except _WrongBytes:
        return Copied(wanted, problem=_("wrong sha256"))
    return Copied(replace(wanted, media_type=info.media_type, metadata=info.metadata))


def _copy_bytes(wanted: StoredObject, file: IO[bytes]) -> None:
    """Write the object's bytes to the file; _WrongBytes if they are not those of its row."""
    digest = hashlib.sha256()
    with storage_client.translated_errors():
        for chunk in storage_client.stream(wanted.key):
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != wanted.sha256:
        raise _WrongBytes


def _to_storage(folder: Folder, stored: StoredObject) -> Copied:
    path = folder.object_path(stored.key)
    if not path.is_file():
        return Copied(stored, problem=_("missing in the backup"), is_missing=True)
    if _hash_in_storage(stored) == stored.sha256:
        return Copied(stored, was_there=True)
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != stored.sha256:
        return Copied(stored, problem=_("wrong sha256 in the backup"))
    storage_client.put(stored.key, data, media_type=stored.media_type, metadata=stored.metadata)
    return Copied(stored)


def _hash_in_storage(stored: StoredObject) -> str:
    """The SHA-256 of an object in storage; "" if there is none, or one of another size."""
    try:
        if storage_client.head(stored.key).size != stored.bytes:
            return ""
        digest = hashlib.sha256()
        with storage_client.translated_errors():
            for chunk in storage_client.stream(stored.key):
                digest.update(chunk)
    except storage_client.ObjectMissing:
        return ""
    return digest.hexdigest()


class _WrongBytes(Exception):
    """The object's bytes are not those of its row."""
