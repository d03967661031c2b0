"""Erase the requests of images that were deleted for good while deleting one still left its prompt in job rows.

What `erasure.erase_deleted` has done since at each deletion. Start images that no batch refers to any more are
deleted by the library's cleanup.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import migrations, transaction
from django.db.models import Exists, OuterRef, Q

BATCH_SIZE = 500  # rows of one transaction: workers of the old version go on meanwhile


def erase(apps: Any, schema_editor: Any) -> None:
    """Erase parameters, and reasons of providers, which may repeat them; it may stop halfway and run again."""
    generations = apps.get_model("jobs", "Generation").objects
    has_image = Exists(apps.get_model("library", "Image").objects.filter(generation=OuterRef("pk")))
    deleted = generations.filter(~has_image, status="succeeded").exclude(parameters={})
    after = uuid.UUID(int=0)
    while keys := list(deleted.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:BATCH_SIZE]):
        after = keys[-1]
        with transaction.atomic():
            batches = set(generations.filter(pk__in=keys).values_list("batch", flat=True))
            needed = generations.filter(Q(has_image) | Q(ended_at=None), batch__in=batches)
            over = batches - set(needed.values_list("batch", flat=True))
            _erase(apps, generations.filter(Q(pk__in=keys) | Q(batch__in=over)))
            apps.get_model("jobs", "Batch").objects.filter(pk__in=over).update(
                parameters={}, start_image=None
            )


def _erase(apps: Any, rows: Any) -> None:
    attempts = apps.get_model("jobs", "Attempt").objects.filter(generation__in=rows.values("pk"))
    attempts.exclude(reason="").update(reason="")
    rows.update(parameters={})


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("jobs", "0006_interrupted_calls"),
        ("library", "0005_bulk_actions"),
    ]

    operations = [migrations.RunPython(erase, migrations.RunPython.noop, elidable=True)]
