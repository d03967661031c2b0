"""Seed a library with many images for performance tests: rows as after years of use.

The rows share a few stored images, so that pages have something to show.
"""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import numpy
from django.db import transaction
from django.utils import timezone
from PIL import Image as Pillow

from generations.library.maintenance import seed_prompts
from generations.library.models import (
    Collection,
    CollectionImage,
    Favourite,
    Image,
    ImageTag,
    SearchEntry,
    Tag,
)
from generations.library.search import indexer
from generations.library.search import terms as search_terms
from generations.library.search.tokenizer import tag_key
from generations.library.storage import client as storage_client
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Membership, Team, Visibility

T = TypeVar("T")

BATCH_SIZE = 2_000  # images of one transaction
TIME_SPAN = timedelta(days=3 * 365)
MODELS = ("core", "core", "core", "ultra", "ultra", "sd3.5-large", "sd3.5-large-turbo", "sdxl-1.0")


@dataclass(frozen=True)
class StoredImage:
    """A stored object that many rows share; `bytes` is its size."""

    key: str
    sha256: str
    width: int
    height: int
    bytes: int


@dataclass
class RowBatch:
    """The rows of one transaction."""

    images: list[Image] = field(default_factory=list)
    entries: list[SearchEntry] = field(default_factory=list)
    relations: list[ImageTag | CollectionImage | Favourite] = field(default_factory=list)


def seed_library(
    team: Team,
    count: int,
    *,
    tags: int,
    collections: int,
    seed: int = 1,
    on_progress: Callable[[int], object] = bool,
) -> None:
    """Add `count` images to a team that has members; `on_progress` gets the number added so far."""
    seeder = Seeder(team, count, tags=tags, collections=collections, seed=seed)
    for start in range(0, count, BATCH_SIZE):
        end = min(start + BATCH_SIZE, count)
        seeder.write(range(start, end))
        on_progress(end)


class Seeder:
    """Makes rows with realistic distributions: few members, words and tags account for most images."""

    def __init__(self, team: Team, count: int, *, tags: int, collections: int, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311  not for security
        self.team, self.count = team, count
        self.members: list[Membership] = list(team.memberships.filter(ended_at=None).order_by("pk"))
        self.until = timezone.now()
        self.words = seed_prompts.Prompts(self.random)
        self.stored_images = list(_stored_images())
        self.tags = self._tags(tags)
        self.collections = self._collections(collections)

    def write(self, numbers: range) -> None:
        """Write the images with these numbers in one transaction."""
        batch = RowBatch()
        for number in numbers:
            self._add_rows(batch, number)
        with transaction.atomic():
            Image.objects.bulk_create(batch.images)
            SearchEntry.objects.bulk_create(batch.entries)
            for model in (ImageTag, CollectionImage, Favourite):
                rows: Any = [row for row in batch.relations if isinstance(row, model)]
                model.objects.bulk_create(rows)

    def _add_rows(self, batch: RowBatch, number: int) -> None:
        image = self._image(number)
        relations = self._relations(image)
        facets = [term for term, _row in relations]
        batch.images.append(image)
        batch.relations += [row for _term, row in relations]
        batch.entries.append(
            SearchEntry(
                image=image,
                team=self.team,
                owner_id=image.owner_id,
                visibility=image.visibility,
                created_at=image.created_at,
                document=indexer.build_document(image, facets),
            )
        )

    def _image(self, number: int) -> Image:
        choice, stored = self.random, self.random.choice(self.stored_images)
        prompt, negative = self.words.prompt(), self.words.negative()
        parameters = {"prompt": prompt, "negative_prompt": negative, "output_format": "png"}
        if choice.random() < 0.4:
            parameters["style_preset"] = choice.choice(tuple(catalogue_registry.STYLES))
        return Image(
            team=self.team,
            owner=self._owner(),
            visibility=Visibility.PRIVATE if choice.random() < 0.05 else Visibility.TEAM,
            prompt=prompt,
            negative_prompt=negative,
            parameters=parameters,
            model=choice.choice(MODELS),
            seed=choice.getrandbits(32),
            key=stored.key,
            sha256=stored.sha256,
            media_type="image/png",
            width=stored.width,
            height=stored.height,
            bytes=stored.bytes,
            created_at=self._created_at(number),
        )

    def _owner(self) -> Membership:
        return self.members[min(int(self.random.paretovariate(1.0)) - 1, len(self.members) - 1)]

    def _created_at(self, number: int) -> datetime:
        """A time between years ago and now, in the order of the numbers."""
        return self.until - TIME_SPAN * ((self.count - number) / self.count)

    def _relations(self, image: Image) -> list[tuple[str, ImageTag | CollectionImage | Favourite]]:
        choice, relations = self.random, list[tuple[str, ImageTag | CollectionImage | Favourite]]()
        for tag in dict.fromkeys(self._some(self.tags, choice.choice((0, 0, 0, 1, 2)))):
            relations.append((search_terms.tag(tag.pk), ImageTag(tag=tag, image=image)))
        for collection in self._some(self.collections, int(choice.random() < 0.05)):
            relations.append(
                (search_terms.collection(collection.pk), CollectionImage(collection=collection, image=image))
            )
        if choice.random() < 0.01:
            member = choice.choice(self.members)
            relations.append((search_terms.favourite(member.pk), Favourite(member=member, image=image)))
        return relations

    def _some(self, items: list[T], count: int) -> Iterator[T]:
        """Yield `count` of the items, the first ones far more often than the last."""
        for _ in range(count if items else 0):
            yield items[int(self.random.paretovariate(0.7)) % len(items)]

    def _tags(self, count: int) -> list[Tag]:
        names = dict.fromkeys(self.words.name() for _ in range(2 * count))
        tags = [Tag(team=self.team, name=name, key=tag_key(name)) for name in list(names)[:count]]
        Tag.objects.bulk_create(tags, ignore_conflicts=True)
        return list(Tag.objects.filter(team=self.team).order_by("pk"))

    def _collections(self, count: int) -> list[Collection]:
        collections = [
            Collection(
                team=self.team,
                owner=self._owner(),
                name=" ".join((self.words.name(), self.words.name())).capitalize(),
                visibility=Visibility.PRIVATE if self.random.random() < 0.3 else Visibility.TEAM,
            )
            for _ in range(count)
        ]
        return Collection.objects.bulk_create(collections)


def _stored_images() -> Iterator[StoredImage]:
    """Store and yield four gradients of each aspect ratio."""
    for number, (width, height) in enumerate(sorted(set(catalogue_registry.get("core").sizes.values())) * 4):
        data = _gradient(width // 2, height // 2, number)
        sha256 = hashlib.sha256(data).hexdigest()
        key = f"images/filled/{sha256}.png"
        storage_client.put(key, data, media_type="image/png")
        yield StoredImage(key, sha256, width // 2, height // 2, len(data))


def _gradient(width: int, height: int, number: int) -> bytes:
    generator = numpy.random.default_rng(number)
    corners = Pillow.fromarray(generator.integers(30, 225, (3, 3, 3), dtype=numpy.uint8))
    target = io.BytesIO()
    corners.resize((width, height), Pillow.Resampling.BICUBIC).save(target, "PNG")
    return target.getvalue()
