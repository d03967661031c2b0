"""The models of the library: images and how they are organised, searched, shared and downloaded."""

from generations.library.models.archive import Archive, Packing
from generations.library.models.bulk_action import BulkAction
from generations.library.models.image import (
    DiscardedObject,
    Image,
    ImageKind,
    ImageQuerySet,
    Origin,
    Upload,
    visible_as,
    visible_to,
)
from generations.library.models.organise import (
    MAX_TAG_LENGTH,
    Collection,
    CollectionImage,
    Favourite,
    ImageTag,
    OwnedQuerySet,
    SavedSearch,
    Tag,
)
from generations.library.models.search_entry import DocumentField, Matches, SearchEntry
from generations.library.models.share_link import Share, ShareImage

__all__ = [
    "MAX_TAG_LENGTH",
    "Archive",
    "BulkAction",
    "Collection",
    "CollectionImage",
    "DiscardedObject",
    "DocumentField",
    "Favourite",
    "Image",
    "ImageKind",
    "ImageQuerySet",
    "ImageTag",
    "Matches",
    "Origin",
    "OwnedQuerySet",
    "Packing",
    "SavedSearch",
    "SearchEntry",
    "Share",
    "ShareImage",
    "Tag",
    "Upload",
    "visible_as",
    "visible_to",
]
