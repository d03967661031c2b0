"""Keeps search entries true: an entry is made from the image's own rows alone, whatever it said before.

Whoever changes what an entry tells calls `refresh` in the same transaction, after the change.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, cast

from django.db import transaction
from django.db.models import Model

from generations.library.imaging import aspect_ratio as imaging_aspect_ratio
from generations.library.models import Collected, Favourite, Image, SearchEntry, Tagged
from generations.library.search import terms as search_terms
from generations.library.search import tokenizer

PARTS = "|"  # between the fields: a phrase does not go on from one into the next
AT_ONCE = 500


def document(*, texts: Iterable[str], facets: Iterable[str]) -> str:
    """The line of an entry: the words of each text, what filters ask for, and the pairs of characters."""
    line, pairs = [PARTS], dict[str, None]()
    for text in texts:
        for run in tokenizer.runs(text):
            line += run
            pairs |= dict.fromkeys(tokenizer.pairs(run))
        line.append(PARTS)
    return " ".join([*line, *pairs, *facets, PARTS])


def enter(image: Image) -> None:
    """Let an image be found that was just made, and that nobody has tagged or collected yet."""
    SearchEntry.objects.create(image=image, **_kept(image), document=line(image))


def leave(images: Collection[uuid.UUID]) -> None:
    """Let images be found no more."""
    SearchEntry.objects.filter(image__in=images).delete()


@transaction.atomic
def refresh(images: Collection[uuid.UUID]) -> None:
    """Make the entries of these images anew; those in the trash lose theirs."""
    ordered = sorted(images)
    for start in range(0, len(ordered), AT_ONCE):
        _refresh(ordered[start : start + AT_ONCE])


def _refresh(images: list[uuid.UUID]) -> None:
    # Whoever changes the same image meanwhile waits here, and then reads what we wrote.
    rows = list(Image.objects.select_for_update(of=("self",)).filter(pk__in=images).order_by("pk"))
    shown = [row for row in rows if row.trashed_at is None]
    known = dict(SearchEntry.objects.filter(image__in=images).values_list("image", "pk"))
    SearchEntry.objects.filter(image__in=[row.pk for row in rows if row.trashed_at]).delete()
    facets = _facets_by_image([row.pk for row in shown])
    entries = [
        SearchEntry(pk=known.get(row.pk), image=row, **_kept(row), document=line(row, facets.get(row.pk, ())))
        for row in shown
    ]
    SearchEntry.objects.bulk_create([entry for entry in entries if entry.pk is None])
    SearchEntry.objects.bulk_update(
        [entry for entry in entries if entry.pk is not None],
        ["owner", "visibility", "created_at", "document"],
        batch_size=100,
    )


def lagging(images: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Those whose entries lack, say something else than a fresh one would, or should not be there."""
    rows = Image.objects.filter(pk__in=images).order_by("pk")
    facets = _facets_by_image(list(images))
    known = {entry.image_id: entry for entry in SearchEntry.objects.filter(image__in=images)}
    return [row.pk for row in rows if not _is_true(known.get(row.pk), row, facets.get(row.pk, ()))]


def _is_true(entry: SearchEntry | None, image: Image, added: Iterable[str]) -> bool:
    """Whether an entry is what it should be; an image in the trash has none."""
    if entry is None or image.trashed_at is not None:
        return entry is None and image.trashed_at is not None
    fresh = {"document": line(image, added), **_kept(image)}
    return all(getattr(entry, name) == value for name, value in fresh.items())


def _kept(image: Image) -> dict[str, Any]:
    """What an entry has in columns."""
    return {
        "team_id": image.team_id,
        "owner_id": image.owner_id,
        "visibility": image.visibility,
        "created_at": image.created_at,
    }


def line(image: Image, added: Iterable[str] = ()) -> str:
    """The line of an image's entry, from its own row and the tokens of what was added to it."""
    texts = (image.title, image.prompt, image.negative_prompt)
    return document(texts=texts, facets=[*_facets(image), *added])


def _facets(image: Image) -> list[str]:
    """The tokens of all that the image's own row says."""
    facets = [
        search_terms.team(image.team_id),
        search_terms.owner(image.owner_id),
        search_terms.origin(image.origin),
        search_terms.shape(imaging_aspect_ratio.nearest(image.width, image.height)),
    ]
    if image.model:
        facets.append(search_terms.model(image.model))
    if style := image.parameters.get("style_preset"):
        facets.append(search_terms.style(str(style)))
    if image.seed is not None:
        facets.append(search_terms.seed(image.seed))
    if image.batch:
        facets.append(search_terms.batch(image.batch))
    return facets


def _facets_by_image(images: list[uuid.UUID]) -> Mapping[uuid.UUID, list[str]]:
    """The tokens of tags, collections and favourites."""
    found: defaultdict[uuid.UUID, list[str]] = defaultdict(list)
    kinds: tuple[tuple[type[Model], str, Any], ...] = (
        (Tagged, "tag", search_terms.tag),
        (Collected, "collection", search_terms.collection),
        (Favourite, "member", search_terms.favourite),
    )
    for kind, column, token in kinds:
        rows = cast(Any, kind)._default_manager.filter(image__in=images).order_by("pk")
        for image, value in rows.values_list("image", column):
            found[image].append(token(value))
    return found
