"""Compare rows with objects in storage, both ways: a merge of two lists sorted by key, in bounded memory."""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from tempfile import TemporaryFile

from django.db import connection
from django.db.models import F
from django.db.models.functions import Collate
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.library.maintenance.check import Check, Kind, Problem, batched, in_batches
from generations.library.models import DiscardedObject, Image, Upload
from generations.library.storage import client as storage_client
from generations.library.trash import purge as trash_purge

Suspect = tuple[str, str, str]  # kind, key, when the object was last modified
READERS = 8  # threads
CACHED_HASHES = 10_000  # an object that several rows share is read once
MIN_ORPHAN_AGE = timedelta(days=1)  # an object without a row may still get one
BYTE_ORDER = {"postgresql": "C", "sqlite": "BINARY"}  # the collation in which storage lists keys


def compare(check: Check) -> Iterator[Problem]:
    """Yield objects that are missing, orphaned or of a wrong size. Raises StorageUnavailable.

    Images are added and deleted meanwhile, so every suspect is written to a file and checked again after
    both lists are read.
    """
    with TemporaryFile("w+") as file:
        for suspect in _suspects(check) if check.may_list else _suspects_by_head(check):
            file.write(json.dumps(suspect) + "\n")
        file.seek(0)
        for lines in batched(file):
            suspects: list[Suspect] = [json.loads(line) for line in lines]
            yield from _missing([key for kind, key, _at in suspects if kind == Kind.MISSING])
            yield from _wrong_sizes([key for kind, key, _at in suspects if kind == Kind.SIZE])
            yield from orphans(check, {key: at for kind, key, at in suspects if kind == Kind.ORPHANED})


def verify_hashes(check: Check) -> Iterator[Problem]:
    """Yield objects whose bytes have another SHA-256 than their row, or cannot be read; none if quick."""
    if check.is_quick:
        return
    hash_of = lru_cache(CACHED_HASHES)(_hash_of)
    with ThreadPoolExecutor(READERS) as threads:
        for model in (Image, Upload):
            for rows in in_batches(check.rows(model).only("pk", "key", "sha256")):
                hashes = threads.map(hash_of, (row.key for row in rows))
                for row, sha256 in zip(rows, hashes, strict=True):
                    if sha256 is None:
                        yield Problem(Kind.UNREADABLE, row.key, str(row.pk))
                    elif sha256 not in (row.sha256, ""):
                        yield Problem(Kind.HASH, row.key, str(row.pk))


def orphans(check: Check, modified_at: dict[str, str]) -> Iterator[Problem]:
    """Yield those of the objects that no row needs; remove the old ones if the check says so.

    `modified_at` maps keys to ISO 8601 times.
    """
    keys = set(modified_at) - trash_purge.referenced(modified_at)
    keys -= set(DiscardedObject.objects.filter(key__in=keys).values_list("key", flat=True))
    keys -= check.still_needed(keys)
    before = timezone.now() - MIN_ORPHAN_AGE
    old = {key for key in keys if datetime.fromisoformat(modified_at[key]) < before}
    removed = _remove(old) if check.removes_orphans else set()
    for key in sorted(keys):
        detail = "" if key in old else _("younger than a day, left alone")
        yield Problem(Kind.ORPHANED, key, detail, is_repaired=key in removed)


def _suspects(check: Check) -> Iterator[Suspect]:
    """Yield rows without an object, objects without a row, and objects of another size, by key."""
    rows, objects = _rows(check), _objects(check)
    row, stored = next(rows, None), next(objects, None)
    while row or stored:
        if row and (stored is None or row[0] < stored.key):
            yield Kind.MISSING, row[0], ""
            row = next(rows, None)
        elif stored and (row is None or stored.key < row[0]):
            if check.team is None or stored.key.startswith(f"uploads/{check.team.pk}/"):
                yield Kind.ORPHANED, stored.key, stored.modified_at.isoformat()
            stored = next(objects, None)
        elif row and stored:
            if row[1] != {stored.size}:
                yield Kind.SIZE, row[0], ""
            row, stored = next(rows, None), next(objects, None)


def _suspects_by_head(check: Check) -> Iterator[Suspect]:
    """Yield rows without an object or with one of another size, by a request for each key."""
    with ThreadPoolExecutor(READERS) as threads:
        for rows in batched(_rows(check)):
            stored = threads.map(storage_client.head_or_none, (key for key, _sizes in rows))
            for (key, sizes), found in zip(rows, stored, strict=True):
                if found is None:
                    yield Kind.MISSING, key, ""
                elif sizes != {found.size}:
                    yield Kind.SIZE, key, ""


def _rows(check: Check) -> Iterator[tuple[str, set[int]]]:
    """Yield every key that rows name, in byte order, with the sizes in bytes that the rows give."""
    in_order = Collate(F("key"), BYTE_ORDER[connection.vendor])
    querysets = [
        check.rows(model).order_by(in_order).values_list("key", "bytes").iterator(chunk_size=2000)
        for model in (Image, Upload)
    ]
    for key, rows in groupby(heapq.merge(*querysets, key=itemgetter(0)), key=itemgetter(0)):
        yield key, {size for _key, size in rows}


def _objects(check: Check) -> Iterator[storage_client.ListedObject]:
    for prefix in ("images/", f"uploads/{check.team.pk}/" if check.team else "uploads/"):
        yield from storage_client.list_objects(prefix)


def _missing(keys: Collection[str]) -> Iterator[Problem]:
    with ThreadPoolExecutor(READERS) as threads:
        exists = dict(zip(keys, threads.map(storage_client.exists, keys), strict=True))
    missing = trash_purge.referenced([key for key in keys if not exists[key]])
    yield from (Problem(Kind.MISSING, key, _image_ids(key)) for key in sorted(missing))


def _wrong_sizes(keys: Collection[str]) -> Iterator[Problem]:
    for key in keys:
        expected = {
            row.bytes for model in (Image, Upload) for row in model.objects.filter(key=key).only("bytes")
        }
        try:
            size = storage_client.head(key).size
        except storage_client.ObjectMissing:
            continue
        if expected and expected != {size}:
            yield Problem(Kind.SIZE, key, _image_ids(key))


def _image_ids(key: str) -> str:
    """The ids of the first three images that use the object."""
    return ", ".join(map(str, Image.objects.filter(key=key).values_list("pk", flat=True)[:3]))


def _remove(keys: Collection[str]) -> set[str]:
    """Remove objects in the way the objects of deleted rows are removed; return those that are gone."""
    if not keys:
        return set()
    trash_purge.discard(keys)
    trash_purge.remove_discarded()
    return set(keys) - set(DiscardedObject.objects.filter(key__in=keys).values_list("key", flat=True))


def _hash_of(key: str) -> str | None:
    """The SHA-256 of an object in hex; "" if it is missing, None if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with storage_client.translated_errors():
            for chunk in storage_client.stream(key):
                digest.update(chunk)
    except storage_client.ObjectMissing:
        return ""
    except storage_client.StorageUnavailable:
        return None
    return digest.hexdigest()
