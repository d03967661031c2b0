"""Check what is derived from images and can be made again: thumbnails and search entries."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

from generations.library.delivery import thumbnails
from generations.library.imaging import decode as imaging_decode
from generations.library.maintenance import object_check
from generations.library.maintenance.check import Check, Kind, Problem, batched, in_batches
from generations.library.models import Image
from generations.library.search import indexer
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from generations.library.storage.client import ListedObject

ByKey = dict[str, ListedObject]


def compare(check: Check) -> Iterator[Problem]:
    """Yield thumbnails that are broken or of no image, and search entries that are missing or out of date.

    Raises StorageUnavailable.
    """
    stored = StoredThumbnails() if check.may_list else UnlistedThumbnails()
    for images in in_batches(check.rows(Image).only("pk", "key", "placeholder")):
        ids = [str(image.pk) for image in images]
        by_image, orphans = stored.until(ids[-1], ids)
        yield from _orphans(check, orphans)
        yield from _thumbnails(check, images, by_image)
        yield from _search_entries(check, [image.pk for image in images])
    for orphans in batched(stored.rest()):
        yield from _orphans(check, orphans)


class StoredThumbnails:
    """The thumbnails in storage, read image by image in the order of the ids."""

    def __init__(self) -> None:
        listed = storage_client.list_objects("thumbnails/")
        self._groups = (
            (name, list(objects)) for name, objects in groupby(listed, lambda each: _image_id(each.key))
        )
        self._next = next(self._groups, None)

    def until(self, last: str, ids: list[str]) -> tuple[dict[str, ByKey], list[ListedObject]]:
        """Read as far as the id `last`: the thumbnails of the images in `ids`, and all others before it."""
        wanted, by_image, others = set(ids), dict[str, ByKey](), list[ListedObject]()
        while self._next and self._next[0] <= last:
            name, objects = self._next
            if name in wanted:
                by_image[name] = {each.key: each for each in objects}
            else:
                others += objects
            self._next = next(self._groups, None)
        return by_image, others

    def rest(self) -> Iterator[ListedObject]:
        """Yield all that was not read."""
        while self._next:
            yield from self._next[1]
            self._next = next(self._groups, None)


class UnlistedThumbnails:
    """The thumbnails in storage, by a request for each: those of no image are not found."""

    def until(self, _last: str, ids: list[str]) -> tuple[dict[str, ByKey], list[ListedObject]]:
        """The thumbnails of the images in `ids`."""
        keys = [_thumbnail_key(name, size) for name in ids for size in thumbnails.WIDTHS]
        with ThreadPoolExecutor(object_check.READERS) as threads:
            stored = zip(keys, threads.map(storage_client.head_or_none, keys), strict=True)
            found = [ListedObject(key, info.size, info.modified_at) for key, info in stored if info]
        by_image: dict[str, ByKey] = {}
        for each in found:
            by_image.setdefault(_image_id(each.key), {})[each.key] = each
        return by_image, []

    def rest(self) -> Iterator[ListedObject]:
        """Nothing."""
        return iter(())


def _thumbnail_key(name: str, size: str) -> str:
    return storage_keys.thumbnail_key(image=uuid.UUID(name), size=size)


def _image_id(key: str) -> str:
    return key.split("/")[1]


def _orphans(check: Check, listed: list[ListedObject]) -> Iterator[Problem]:
    """Yield thumbnails whose image does not exist; none if one team is checked: their team is unknown."""
    if check.team:
        return
    ids = {name: _uuid_or_none(name) for name in {_image_id(each.key) for each in listed}}
    existing = set(Image.objects.filter(pk__in=filter(None, ids.values())).values_list("pk", flat=True))
    orphans = [each for each in listed if ids[_image_id(each.key)] not in existing]
    yield from object_check.orphans(check, {each.key: each.modified_at.isoformat() for each in orphans})


def _uuid_or_none(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _thumbnails(check: Check, images: list[Image], stored: dict[str, ByKey]) -> Iterator[Problem]:
    """Yield thumbnails that are broken or not made yet; make them if the check repairs."""
    with ThreadPoolExecutor(object_check.READERS) as threads:
        futures = [
            (image, size, threads.submit(_problem_kind, check, image, size, stored.get(str(image.pk), {})))
            for image in images
            for size in thumbnails.WIDTHS
        ]
        for image, size, future in futures:
            if kind := future.result():
                key = storage_keys.thumbnail_key(image=image.pk, size=size)
                yield Problem(kind, key, is_repaired=check.repairs and _remake(image, size))


def _problem_kind(check: Check, image: Image, size: str, stored: ByKey) -> Kind | None:
    """What is wrong with a thumbnail, if anything; a quick check only looks at its length."""
    listed = stored.get(storage_keys.thumbnail_key(image=image.pk, size=size))
    if listed is None:
        return Kind.UNMADE
    if listed.size == 0:
        return Kind.THUMBNAIL
    return None if check.is_quick or _can_be_decoded(listed.key) else Kind.THUMBNAIL


def _can_be_decoded(key: str) -> bool:
    try:
        with imaging_decode.open_image(storage_client.read(key)) as picture:
            picture.load()
    except imaging_decode.Unreadable:
        return False
    except storage_client.ObjectMissing:  # deleted with its image since it was listed
        return True
    return True


def _remake(image: Image, size: str) -> bool:
    """Make a thumbnail again; False if the original is missing or cannot be decoded."""
    storage_client.remove(storage_keys.thumbnail_key(image=image.pk, size=size))
    try:
        thumbnails.get_or_make(image, size)
    except (imaging_decode.Unreadable, storage_client.ObjectMissing):
        return False
    return True


def _search_entries(check: Check, images: list[uuid.UUID]) -> Iterator[Problem]:
    """Yield search entries that are out of date; they are read twice, since one may just be changing."""
    lagging = indexer.outdated(indexer.outdated(images))
    if check.repairs:
        indexer.refresh(lagging)
    remaining = set(indexer.outdated(lagging))
    for image in lagging:
        yield Problem(Kind.ENTRY, str(image), is_repaired=image not in remaining)
