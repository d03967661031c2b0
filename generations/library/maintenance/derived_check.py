"""What belongs to every image and can be made anew: thumbnails and its entry in the search."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import TYPE_CHECKING

from generations.library.delivery import thumbnails
from generations.library.findings import Check, Kind, Problem, batched, in_batches
from generations.library.imaging import decode as imaging_decode
from generations.library.maintenance import object_check
from generations.library.models import Image
from generations.library.search import indexer
from generations.library.storage import client as storage_client
from generations.library.storage import listing as storage_listing

if TYPE_CHECKING:
    from generations.library.storage.listing import Listed

Sizes = dict[str, "Listed"]


def look(check: Check) -> Iterator[Problem]:
    """Thumbnails that are broken or of no image, and entries that lack or lag. Raises StorageUnavailable."""
    stored = Stored()
    for images in in_batches(check.rows(Image).only("pk", "key", "placeholder")):
        ids = [str(image.pk) for image in images]
        theirs, strays = stored.until(ids[-1], ids)
        yield from _strays(check, strays)
        yield from _of_thumbnails(check, images, theirs)
        yield from _of_entries(check, [image.pk for image in images])
    for strays in batched(stored.rest()):
        yield from _strays(check, strays)


class Stored:
    """The thumbnails in storage, image after image."""

    def __init__(self) -> None:
        listed = storage_listing.listed("thumbnails/")
        self._groups = (
            (name, list(sizes)) for name, sizes in groupby(listed, lambda each: _image_of(each.key))
        )
        self._next = next(self._groups, None)

    def until(self, last: str, ids: list[str]) -> tuple[dict[str, Sizes], list[Listed]]:
        """Those of these images by name of the size, and others up to the last of these images."""
        wanted, theirs, strays = set(ids), dict[str, Sizes](), list["Listed"]()
        while self._next and self._next[0] <= last:
            name, sizes = self._next
            if name in wanted:
                theirs[name] = {each.key: each for each in sizes}
            else:
                strays += sizes
            self._next = next(self._groups, None)
        return theirs, strays

    def rest(self) -> Iterator[Listed]:
        """All that is left."""
        while self._next:
            yield from self._next[1]
            self._next = next(self._groups, None)


def _image_of(key: str) -> str:
    return key.split("/")[1]


def _strays(check: Check, listed: list[Listed]) -> Iterator[Problem]:
    """Thumbnails of images that are gone; those of other teams are not."""
    if check.team:
        return
    ids = {name: _id(name) for name in {_image_of(each.key) for each in listed}}
    there = set(Image.objects.filter(pk__in=filter(None, ids.values())).values_list("pk", flat=True))
    lost = [each for each in listed if ids[_image_of(each.key)] not in there]
    yield from object_check.orphans(check, {each.key: each.modified_at.isoformat() for each in lost})


def _id(name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(name)
    except ValueError:
        return None


def _of_thumbnails(check: Check, images: list[Image], stored: dict[str, Sizes]) -> Iterator[Problem]:
    """Those that cannot be shown, or were not made yet; made anew if that is asked."""
    with ThreadPoolExecutor(object_check.READERS) as threads:
        tasks = [
            (image, size, threads.submit(_fault, check, image, size, stored.get(str(image.pk), {})))
            for image in images
            for size in thumbnails.WIDTHS
        ]
        for image, size, task in tasks:
            if kind := task.result():
                key = storage_client.thumbnail_key(image=image.pk, size=size)
                yield Problem(kind, key, is_mended=check.repairs and _made(image, size))


def _fault(check: Check, image: Image, size: str, stored: Sizes) -> Kind | None:
    """What is wrong with a thumbnail; a quick check looks at its length alone."""
    listed = stored.get(storage_client.thumbnail_key(image=image.pk, size=size))
    if listed is None:
        return Kind.UNMADE
    if listed.size == 0:
        return Kind.THUMBNAIL
    return None if check.is_quick or _can_be_shown(listed.key) else Kind.THUMBNAIL


def _can_be_shown(key: str) -> bool:
    try:
        with imaging_decode.opened(storage_client.read(key)) as picture:
            picture.load()
    except imaging_decode.Unreadable:
        return False
    except storage_client.Missing:  # gone with its image, just now
        return True
    return True


def _made(image: Image, size: str) -> bool:
    """Make a thumbnail anew; False if the original does not allow it."""
    storage_listing.remove(storage_client.thumbnail_key(image=image.pk, size=size))
    try:
        thumbnails.made(image, size)
    except (imaging_decode.Unreadable, storage_client.Missing):
        return False
    return True


def _of_entries(check: Check, images: list[uuid.UUID]) -> Iterator[Problem]:
    """Entries that are not as fresh ones; looked at twice, since somebody may be changing them."""
    lagging = indexer.outdated(indexer.outdated(images))
    if check.repairs:
        indexer.refresh(lagging)
    left = set(indexer.outdated(lagging))
    for image in lagging:
        yield Problem(Kind.ENTRY, str(image), is_mended=image not in left)
