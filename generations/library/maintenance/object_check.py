"""Rows laid beside objects, both ways: two sorted lists are walked at once, however long they are."""

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

from generations.library.findings import Check, Kind, Problem, batched, in_batches
from generations.library.models import DiscardedObject, Image, Upload
from generations.library.storage import client as storage_client
from generations.library.storage import listing as storage_listing
from generations.library.trash import purge as trash_purge

Suspect = tuple[str, str, str]  # kind, key, when the object was last modified
READERS = 8
REMEMBERED = 10_000  # objects that several rows share are read once
YOUNG = timedelta(days=1)  # an object without a row may still get one
BYTE_ORDER = {"postgresql": "C", "sqlite": "BINARY"}  # in which storage lists its keys


def compare(check: Check) -> Iterator[Problem]:
    """Objects that are missing, orphaned or of a wrong size. Raises StorageUnavailable.

    What looks wrong is written down first and looked at again when the lists are closed: pictures come
    and go meanwhile.
    """
    with TemporaryFile("w+") as notes:
        for suspect in _suspects(check):
            notes.write(json.dumps(suspect) + "\n")
        notes.seek(0)
        for lines in batched(notes):
            suspects: list[Suspect] = [json.loads(line) for line in lines]
            yield from _absent([key for kind, key, _at in suspects if kind == Kind.MISSING])
            yield from _resized([key for kind, key, _at in suspects if kind == Kind.SIZE])
            yield from orphans(check, {key: at for kind, key, at in suspects if kind == Kind.ORPHANED})


def read(check: Check) -> Iterator[Problem]:
    """Objects whose bytes are not those that their rows speak of, or cannot be read; several at a time."""
    sum_of = lru_cache(REMEMBERED)(_sum_of)
    with ThreadPoolExecutor(READERS) as threads:
        for kind in (Image, Upload):
            for rows in in_batches(check.rows(kind).only("pk", "key", "sha256")):
                found = threads.map(sum_of, (row.key for row in rows))
                for row, sha256 in zip(rows, found, strict=True):
                    if sha256 is None:
                        yield Problem(Kind.UNREADABLE, row.key, str(row.pk))
                    elif sha256 not in (row.sha256, ""):
                        yield Problem(Kind.HASH, row.key, str(row.pk))


def orphans(check: Check, modified_at: dict[str, str]) -> Iterator[Problem]:
    """Those of these objects that no row needs, removed if that is asked and they are old enough."""
    left = set(modified_at) - trash_purge.referred_to(modified_at)
    left -= set(DiscardedObject.objects.filter(key__in=left).values_list("key", flat=True))
    left -= check.still_needed(left)
    before = timezone.now() - YOUNG
    old = {key for key in left if datetime.fromisoformat(modified_at[key]) < before}
    gone = _removed(old) if check.removes_orphans else set()
    for key in sorted(left):
        words = "" if key in old else _("younger than a day, left alone")
        yield Problem(Kind.ORPHANED, key, words, is_mended=key in gone)


def _suspects(check: Check) -> Iterator[Suspect]:
    """Rows without an object, objects without a row, and objects of another size, by key."""
    rows, objects = _rows(check), _objects(check)
    row, found = next(rows, None), next(objects, None)
    while row or found:
        if row and (found is None or row[0] < found.key):
            yield Kind.MISSING, row[0], ""
            row = next(rows, None)
        elif found and (row is None or found.key < row[0]):
            if check.team is None or found.key.startswith(f"uploads/{check.team.pk}/"):
                yield Kind.ORPHANED, found.key, found.modified_at.isoformat()
            found = next(objects, None)
        elif row and found:
            if row[1] != {found.size}:
                yield Kind.SIZE, row[0], ""
            row, found = next(rows, None), next(objects, None)


def _rows(check: Check) -> Iterator[tuple[str, set[int]]]:
    """Every key that rows speak of, in the order of its bytes, and how long they say that its object is."""
    in_order = Collate(F("key"), BYTE_ORDER[connection.vendor])
    each = [
        check.rows(kind).order_by(in_order).values_list("key", "bytes").iterator(chunk_size=2000)
        for kind in (Image, Upload)
    ]
    for key, rows in groupby(heapq.merge(*each, key=itemgetter(0)), key=itemgetter(0)):
        yield key, {size for _key, size in rows}


def _objects(check: Check) -> Iterator[storage_listing.Listed]:
    for prefix in ("images/", f"uploads/{check.team.pk}/" if check.team else "uploads/"):
        yield from storage_listing.listed(prefix)


def _absent(keys: Collection[str]) -> Iterator[Problem]:
    with ThreadPoolExecutor(READERS) as threads:
        there = dict(zip(keys, threads.map(storage_client.exists, keys), strict=True))
    missing = trash_purge.referred_to([key for key in keys if not there[key]])
    yield from (Problem(Kind.MISSING, key, _of(key)) for key in sorted(missing))


def _resized(keys: Collection[str]) -> Iterator[Problem]:
    for key in keys:
        said = {row.bytes for kind in (Image, Upload) for row in kind.objects.filter(key=key).only("bytes")}
        try:
            size = storage_client.head(key).size
        except storage_client.Missing:
            continue
        if said and said != {size}:
            yield Problem(Kind.SIZE, key, _of(key))


def _of(key: str) -> str:
    """The images that have the object, as far as a line has room."""
    return ", ".join(map(str, Image.objects.filter(key=key).values_list("pk", flat=True)[:3]))


def _removed(keys: Collection[str]) -> set[str]:
    """Discard objects as those of deleted rows are discarded; which are gone."""
    if not keys:
        return set()
    trash_purge.discard(keys)
    trash_purge.remove_objects()
    return set(keys) - set(DiscardedObject.objects.filter(key__in=keys).values_list("key", flat=True))


def _sum_of(key: str) -> str | None:
    """The sha256 of an object's bytes; nothing for one that is missing, None if it cannot be read."""
    found = hashlib.sha256()
    try:
        with storage_client.translated_errors():
            for chunk in storage_client.stream(key):
                found.update(chunk)
    except storage_client.Missing:
        return ""
    except storage_client.StorageUnavailable:
        return None
    return found.hexdigest()
