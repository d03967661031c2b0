"""A library as large as one likes, to try the portal's speed on: rows as they would be after years of work.

A few real pictures serve them all, so that pages have something to show.
"""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

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
from generations.teams.models import Visibility

if TYPE_CHECKING:
    from generations.teams.models import Membership, Team

Thing = TypeVar("Thing")

AT_ONCE = 2_000  # rows of one transaction
SPAN = timedelta(days=3 * 365)
MODELS = ("core", "core", "core", "ultra", "ultra", "sd3.5-large", "sd3.5-large-turbo", "sdxl-1.0")


@dataclass(frozen=True)
class Drawn:
    """A stored picture that many rows share."""

    key: str
    sha256: str
    width: int
    height: int
    bytes: int


@dataclass
class Chunk:
    """Rows of one transaction."""

    images: list[Image] = field(default_factory=list)
    entries: list[SearchEntry] = field(default_factory=list)
    added: list[ImageTag | CollectionImage | Favourite] = field(default_factory=list)


def fill(
    team: Team,
    count: int,
    *,
    tags: int,
    collections: int,
    seed: int = 1,
    tell: Callable[[int], object] = bool,
) -> None:
    """Enter so many images into a team that has members; `tell` hears how many there are so far."""
    filler = Filler(team, count, tags=tags, collections=collections, seed=seed)
    for start in range(0, count, AT_ONCE):
        filler.write(range(start, min(start + AT_ONCE, count)))
        tell(min(start + AT_ONCE, count))


class Filler:
    """Makes rows that differ as real ones do: few people make most, few words and tags are in most."""

    def __init__(self, team: Team, count: int, *, tags: int, collections: int, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311  it guards nothing
        self.team, self.count = team, count
        self.members: list[Membership] = list(team.memberships.filter(ended_at=None).order_by("pk"))
        self.until = timezone.now()
        self.words = seed_prompts.Prompts(self.chance)
        self.pictures = list(_pictures())
        self.tags = self._tags(tags)
        self.collections = self._collections(collections)

    def write(self, numbers: range) -> None:
        """One transaction's rows."""
        chunk = Chunk()
        for number in numbers:
            self._row(chunk, number)
        with transaction.atomic():
            Image.objects.bulk_create(chunk.images)
            SearchEntry.objects.bulk_create(chunk.entries)
            for kind in (ImageTag, CollectionImage, Favourite):
                rows: Any = [row for row in chunk.added if isinstance(row, kind)]
                kind.objects.bulk_create(rows)

    def _row(self, chunk: Chunk, number: int) -> None:
        image = self._image(number)
        added = self._added(image)
        facets = [token for token, _row in added]
        chunk.images.append(image)
        chunk.added += [row for _token, row in added]
        chunk.entries.append(
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
        chance, drawn = self.chance, self.chance.choice(self.pictures)
        prompt, negative = self.words.prompt(), self.words.negative()
        parameters = {"prompt": prompt, "negative_prompt": negative, "output_format": "png"}
        if chance.random() < 0.4:
            parameters["style_preset"] = chance.choice(tuple(catalogue_registry.STYLES))
        return Image(
            team=self.team,
            owner=self._owner(),
            visibility=Visibility.PRIVATE if chance.random() < 0.05 else Visibility.TEAM,
            prompt=prompt,
            negative_prompt=negative,
            parameters=parameters,
            model=chance.choice(MODELS),
            seed=chance.getrandbits(32),
            key=drawn.key,
            sha256=drawn.sha256,
            media_type="image/png",
            width=drawn.width,
            height=drawn.height,
            bytes=drawn.bytes,
            created_at=self._moment(number),
        )

    def _owner(self) -> Membership:
        return self.members[min(int(self.chance.paretovariate(1.0)) - 1, len(self.members) - 1)]

    def _moment(self, number: int) -> datetime:
        """From years ago until now, in order."""
        return self.until - SPAN * ((self.count - number) / self.count)

    def _added(self, image: Image) -> list[tuple[str, ImageTag | CollectionImage | Favourite]]:
        chance, added = self.chance, list[tuple[str, ImageTag | CollectionImage | Favourite]]()
        for tag in dict.fromkeys(self._some(self.tags, chance.choice((0, 0, 0, 1, 2)))):
            added.append((search_terms.tag(tag.pk), ImageTag(tag=tag, image=image)))
        for collection in self._some(self.collections, int(chance.random() < 0.05)):
            added.append(
                (search_terms.collection(collection.pk), CollectionImage(collection=collection, image=image))
            )
        if chance.random() < 0.01:
            member = chance.choice(self.members)
            added.append((search_terms.favourite(member.pk), Favourite(member=member, image=image)))
        return added

    def _some(self, things: list[Thing], count: int) -> Iterator[Thing]:
        """So many of them, the first ones far more often than the last."""
        for _ in range(count if things else 0):
            yield things[int(self.chance.paretovariate(0.7)) % len(things)]

    def _tags(self, count: int) -> list[Tag]:
        names = dict.fromkeys(self.words.name() for _ in range(2 * count))
        made = [Tag(team=self.team, name=name, key=tag_key(name)) for name in list(names)[:count]]
        Tag.objects.bulk_create(made, ignore_conflicts=True)
        return list(Tag.objects.filter(team=self.team).order_by("pk"))

    def _collections(self, count: int) -> list[Collection]:
        made = [
            Collection(
                team=self.team,
                owner=self._owner(),
                name=" ".join((self.words.name(), self.words.name())).capitalize(),
                visibility=Visibility.PRIVATE if self.chance.random() < 0.3 else Visibility.TEAM,
            )
            for _ in range(count)
        ]
        return Collection.objects.bulk_create(made)


def _pictures() -> Iterator[Drawn]:
    """Four pictures of each shape: soft gradients, stored once."""
    for number, (width, height) in enumerate(sorted(set(catalogue_registry.get("core").sizes.values())) * 4):
        data = _gradient(width // 2, height // 2, number)
        sha256 = hashlib.sha256(data).hexdigest()
        key = f"images/filled/{sha256}.png"
        storage_client.put(key, data, media_type="image/png")
        yield Drawn(key, sha256, width // 2, height // 2, len(data))


def _gradient(width: int, height: int, number: int) -> bytes:
    chance = numpy.random.default_rng(number)
    corners = Pillow.fromarray(chance.integers(30, 225, (3, 3, 3), dtype=numpy.uint8))
    target = io.BytesIO()
    corners.resize((width, height), Pillow.Resampling.BICUBIC).save(target, "PNG")
    return target.getvalue()
