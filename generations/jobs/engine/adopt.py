"""After a restore: use pictures that were stored while the backup was made, before its rows could say so."""

from __future__ import annotations

import logging

from django.db.models.functions import Now

from generations.jobs.engine import outcomes, persist
from generations.jobs.models import UNFINISHED, Attempt, Generation, Outcome, Status
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys

log = logging.getLogger(__name__)


def adopt_stored() -> int:
    """Complete unfinished generations whose images are in storage, so that none is bought again; how many.

    For a time when no worker runs: a row that a worker has is taken from it. Raises StorageUnavailable.
    """
    called = Generation.objects.filter(status__in=UNFINISHED, attempt__gt=0)
    return sum(_adopt(row) for row in called)


def _adopt(row: Generation) -> bool:
    prefix = storage_keys.image_prefix(generation=row.pk, attempt=row.attempt)
    if not storage_client.list_keys(prefix):
        return False
    Generation.objects.move(row.pk, fence=row.attempt, to=Status.STORING, lease_until=Now())
    attempts = Attempt.objects.filter(generation=row, number=row.attempt).exclude(outcome=Outcome.OK)
    for attempt in attempts.select_related("upstream"):
        cost = outcomes.list_cost(row, attempt.upstream)
        attempts.filter(pk=attempt.pk).update(outcome=Outcome.OK, cost=cost, ended_at=Now())
    log.warning("Generation %s was under way when the backup was made; its picture is in storage", row.pk)
    return persist.find_in_storage(row)
