"""What lies in object storage: listing all of it, and removing what nobody needs any more."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from generations.library.storage import client as storage_client

AT_ONCE = 8  # connections

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listed:
    """An object as storage lists it."""

    key: str
    size: int
    modified_at: datetime


def listed(prefix: str = "") -> Iterator[Listed]:
    """All objects whose keys begin so, in the order of their letters. Raises StorageUnavailable."""
    with storage_client.translated_errors():
        pages = storage_client.client().get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=storage_client.bucket(), Prefix=prefix):
            for entry in page.get("Contents", []):
                yield Listed(entry["Key"], entry["Size"], entry["LastModified"])


def remove(key: str) -> None:
    """Remove an object; harmless if there is none. Raises StorageUnavailable."""
    with storage_client.translated_errors():
        storage_client.client().delete_object(Bucket=storage_client.bucket(), Key=key)


def remove_several(keys: Collection[str]) -> set[str]:
    """Remove objects, several at a time; which are gone now.

    One by one, since not every server that speaks S3 knows how to remove many in one request.
    """
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return {key for key, is_gone in zip(keys, threads.map(_removed, keys), strict=True) if is_gone}


def _removed(key: str) -> bool:
    try:
        remove(key)
    except storage_client.StorageUnavailable as problem:
        log.warning("%s is removed later: %s", key, problem)
        return False
    return True
