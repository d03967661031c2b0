"""The rows of the library: images, how they are organised, searched, shared and packed."""

from generations.library.models.bulk_action import Act, Archive, Deed, DiscardedObject, Packing
from generations.library.models.image import Image, ImageQuerySet, Origin, Upload, seen_by
from generations.library.models.organise import (
    LONGEST_TAG,
    Collected,
    Collection,
    Favourite,
    SavedSearch,
    Tag,
    Tagged,
)
from generations.library.models.search_entry import DocumentField, Matches, SearchEntry
from generations.library.models.share_link import Share

__all__ = [
    "LONGEST_TAG",
    "Act",
    "Archive",
    "Collected",
    "Collection",
    "Deed",
    "DiscardedObject",
    "DocumentField",
    "Favourite",
    "Image",
    "ImageQuerySet",
    "Matches",
    "Origin",
    "Packing",
    "SavedSearch",
    "SearchEntry",
    "Share",
    "Tag",
    "Tagged",
    "Upload",
    "seen_by",
]
