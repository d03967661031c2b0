"""Build the search entries of images from the images' own rows.

Code that changes what a document contains calls `refresh` in the same transaction, after the change.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, cast

from django.db import transaction
from django.db.models import Model

from generations.core.one_message import Write
from generations.core.prepared_writes import PreparedInsert
from generations.library.models import CollectionImage, Favourite, Image, ImageTag, SearchEntry
from generations.library.search import terms as search_terms
from generations.library.search import tokenizer
from generations.library.search.query import Search

SEPARATOR = "|"  # between texts: a phrase does not continue from one into the next
BATCH_SIZE = 500
MAX_INDEXED = 10_000  # letters of a text that a model wrote

_entry = PreparedInsert(SearchEntry)


def add(image: Image) -> None:
    """Create the entry of a new image, which has no tags and is in no collection yet."""
    _entry.run(_new_entry(image))


def write(image: Image) -> Write:
    """Return the same for `write_together`."""
    return _entry.write(_new_entry(image))


def _new_entry(image: Image) -> SearchEntry:
    return SearchEntry(image=image, **_columns(image), document=build_document(image))


def remove(images: Collection[uuid.UUID]) -> None:
    """Delete the entries of images."""
    SearchEntry.objects.filter(image__in=images).delete()


@transaction.atomic
def refresh(images: Collection[uuid.UUID]) -> None:
    """Build the entries of these images again; those in the trash lose theirs."""
    ordered = sorted(images)
    for start in range(0, len(ordered), BATCH_SIZE):
        _refresh(ordered[start : start + BATCH_SIZE])


def _refresh(images: list[uuid.UUID]) -> None:
    # The lock makes a transaction that changes the same image wait, and then read what this one wrote.
    rows = list(Image.objects.select_for_update(of=("self",)).filter(pk__in=images).order_by("pk"))
    shown = [row for row in rows if row.trashed_at is None]
    existing = dict(SearchEntry.objects.filter(image__in=images).values_list("image", "pk"))
    SearchEntry.objects.filter(image__in=[row.pk for row in rows if row.trashed_at]).delete()
    terms = _related_terms([row.pk for row in shown])
    entries = [
        SearchEntry(
            pk=existing.get(row.pk),
            image=row,
            **_columns(row),
            document=build_document(row, terms.get(row.pk, ())),
        )
        for row in shown
    ]
    SearchEntry.objects.bulk_create([entry for entry in entries if entry.pk is None])
    SearchEntry.objects.bulk_update(
        [entry for entry in entries if entry.pk is not None],
        ["owner", "visibility", "created_at", "document"],
        batch_size=100,
    )


def outdated(images: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Return the images whose entry is missing, differs from a fresh one, or should not exist."""
    rows = Image.objects.filter(pk__in=images).order_by("pk")
    terms = _related_terms(list(images))
    entries = {entry.image_id: entry for entry in SearchEntry.objects.filter(image__in=images)}
    return [row.pk for row in rows if not _is_current(entries.get(row.pk), row, terms.get(row.pk, ()))]


def _is_current(entry: SearchEntry | None, image: Image, related_terms: Iterable[str]) -> bool:
    if entry is None or image.trashed_at is not None:
        return entry is None and image.trashed_at is not None
    if any(getattr(entry, name) != value for name, value in _columns(image).items()):
        return False
    return _comparable(entry.document) == _comparable(build_document(image, related_terms))


def _comparable(document: str) -> tuple[list[str], list[str]]:
    """The words in order, and the filters' terms, whose order does not matter."""
    terms = document.split(" ")
    words = [term for term in terms if not term.startswith(search_terms.FILTER_SIGN)]
    return words, sorted(term for term in terms if term.startswith(search_terms.FILTER_SIGN))


def _columns(image: Image) -> dict[str, Any]:
    """What an entry has in columns of its own."""
    return {
        "team_id": image.team_id,
        "owner_id": image.owner_id,
        "visibility": image.visibility,
        "created_at": image.created_at,
    }


def build_document(image: Image, related_terms: Iterable[str] = ()) -> str:
    """Return an image's document: the words of its texts, bigrams of unspaced scripts, terms of filters.

    `related_terms` are the terms of its tags, collections and favourites.
    """
    document, bigrams = [SEPARATOR], dict[str, None]()
    for text in (image.title, image.prompt, image.negative_prompt, image.text[:MAX_INDEXED]):
        for run in tokenizer.runs(text):
            document += run
            bigrams |= dict.fromkeys(tokenizer.bigrams(run))
        document.append(SEPARATOR)
    return " ".join([*document, *bigrams, *_own_terms(image), *related_terms, SEPARATOR])


def _own_terms(image: Image) -> list[str]:
    """The filters' terms from the image's own row."""
    terms = [search_terms.team(image.team_id), search_terms.origin(image.origin)]
    for declared in Search.declared():
        terms += declared.document_terms(image)
    return terms


def _related_terms(images: list[uuid.UUID]) -> Mapping[uuid.UUID, list[str]]:
    """The terms of tags, collections and favourites, by image."""
    found: defaultdict[uuid.UUID, list[str]] = defaultdict(list)
    relations: tuple[tuple[type[Model], str, Any], ...] = (
        (ImageTag, "tag", search_terms.tag),
        (CollectionImage, "collection", search_terms.collection),
        (Favourite, "member", search_terms.favourite),
    )
    for model, column, term in relations:
        rows = cast(Any, model)._default_manager.filter(image__in=images).order_by("pk")
        for image, value in rows.values_list("image", column):
            found[image].append(term(value))
    return found
