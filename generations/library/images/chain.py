"""The chain of edits that an image belongs to, as a member sees it."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from generations.library.models import Image
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.operations import RESULTS
from generations.teams.models import Membership

MAX_PARENTS = 24
MAX_CHILDREN = 12
PARENTS = """
WITH RECURSIVE chain(id, parent, depth) AS (
    SELECT id, parent_id, 0 FROM library_image WHERE id = %s
    UNION ALL
    SELECT image.id, image.parent_id, chain.depth + 1
    FROM library_image AS image JOIN chain ON image.id = chain.parent WHERE chain.depth < %s
)
SELECT id FROM chain WHERE depth > 0 ORDER BY depth DESC
"""


@dataclass(frozen=True)
class Step:
    """An image of the chain, and what was done to make it, such as “Erased”."""

    image: Image
    title: str


@dataclass(frozen=True)
class Chain:
    """The images that one was made from, oldest first, with itself as the last, and those made from it."""

    steps: list[Step]
    children: list[Step]

    @property
    def parent(self) -> Image | None:
        """The image that it was made from directly, if the member may see that."""
        current = self.steps[-1].image
        return next((step.image for step in self.steps if step.image.pk == current.parent_id), None)

    def __bool__(self) -> bool:
        return len(self.steps) > 1 or bool(self.children)


def of_image(member: Membership, image: Image, batches: Collection[uuid.UUID] = ()) -> Chain:
    """Return the chain of an image without what the member may not see, and what is in the trash.

    `batches` are those that it was an input of. Three queries, whatever its length.
    """
    parents = _parents(image.pk) if image.parent_id else []
    found = Image.objects.visible_to(member).in_bulk(parents) if parents else {}
    line = [found[pk] for pk in parents if pk in found] + [image]
    made_with = Q(batch__in=batches) if batches else Q()
    children = Image.objects.visible_to(member).filter(Q(parent=image) | made_with).exclude(pk=image.pk)
    children = children.order_by("created_at", "pk")
    return Chain(
        [Step(each, title(each)) for each in line],
        [Step(each, title(each)) for each in children[:MAX_CHILDREN]],
    )


def title(image: Image) -> str:
    """Return what was done to make an image, by its model; “Original” for one that was made from none."""
    if image.parent_id is None:
        return _("Original")
    model = catalogue_registry.MODELS.get(image.model)
    return _(RESULTS[model.operation]) if model else _("Edited")


def _parents(pk: uuid.UUID) -> list[uuid.UUID]:
    """The ids of an image's parent, the parent's parent and so on, oldest first."""
    key = Image._meta.pk.get_db_prep_value(pk, connection)
    return [image.pk for image in Image.objects.raw(PARENTS, [key, MAX_PARENTS])]
