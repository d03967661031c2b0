"""Erase what was asked for: prompts and other parameters in job rows, and inputs that nothing needs.

An erased row has no parameters. Its status, price and times stay, since the ledger refers to it.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet

from generations.jobs.models import Attempt, Batch, BatchInput, Generation, PromptHelp, SavedPrompt
from generations.library.models import Image, Upload
from generations.library.trash import purge as trash_purge
from generations.teams.models import Membership, Visibility


@transaction.atomic
def erase_deleted(generations: Collection[uuid.UUID]) -> None:
    """Erase the requests of generations whose images were deleted for good.

    Their batches keep the request until the last of their images is deleted. Start images go with the last
    batch that was made from them.
    """
    rows = Generation.objects.filter(pk__in=generations, ended_at__isnull=False)
    _erase(rows.exclude(pk__in=_stored(generations)))
    batches = Generation.objects.filter(pk__in=generations).values("batch")
    locked = list(Batch.objects.select_for_update().filter(pk__in=batches).order_by("pk"))
    siblings = Generation.objects.filter(batch__in=locked)
    kept = set(siblings.filter(ended_at=None).values_list("batch", flat=True))
    kept |= set(siblings.filter(pk__in=_stored(siblings.values("pk"))).values_list("batch", flat=True))
    _erase_batches([batch for batch in locked if batch.pk not in kept])


@transaction.atomic
def erase_member(member: Membership) -> None:
    """Erase everything that a member asked for, and their start images. All their generations have ended.

    Images that stay in the library of the team keep their own prompts, and so do prompts saved for the team.
    """
    SavedPrompt.objects.filter(owner=member, visibility=Visibility.PRIVATE).delete()
    PromptHelp.objects.filter(member=member).update(text="", answers=[])
    _erase_batches(list(Batch.objects.select_for_update().filter(member=member).order_by("pk")))
    trash_purge.delete_uploads(list(Upload.objects.filter(owner=member).values_list("pk", flat=True)))


def _stored(generations: object) -> QuerySet[Image, uuid.UUID | None]:
    """Those of the generations that have an image, in the trash or not."""
    return Image.objects.filter(generation__in=generations).values_list("generation", flat=True)


def _erase_batches(batches: list[Batch]) -> None:
    inputs = BatchInput.objects.filter(batch__in=batches)
    uploads = {batch.start_image_id for batch in batches if batch.start_image_id}
    uploads |= set(inputs.values_list("upload", flat=True))
    inputs.delete()
    _erase(Generation.objects.filter(batch__in=batches))
    Batch.objects.filter(pk__in=[batch.pk for batch in batches]).update(parameters={}, start_image=None)
    trash_purge.delete_uploads(uploads)


def _erase(generations: QuerySet[Generation]) -> None:
    """Remove the parameters, and what the provider answered, which may repeat them."""
    Attempt.objects.filter(generation__in=generations.values("pk")).exclude(reason="").update(reason="")
    generations.update(parameters={})
