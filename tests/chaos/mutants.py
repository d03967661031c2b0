"""Engines without one safeguard each. The chaos test is trusted only while it catches every one of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from generations.credits import ledger
from generations.jobs.engine import persist, spool, spool_files, sweeper
from generations.jobs.models import MOVES, Generation, GenerationQuerySet, Status
from generations.library.images import service as images_service


def without_sweeper() -> None:
    """Nothing is repaired after a crash."""
    for name in ("sweep", "recover_and_store", "settle_expired_leases", "recover", "store_spooled"):
        if not hasattr(sweeper, name):
            raise AttributeError(name)
        setattr(sweeper, name, lambda: 0)


def without_fence() -> None:
    """Late writers are not refused."""

    def movable(self: Any, pk: Any, _fence: Any, to: Status) -> Any:
        return self.filter(pk=pk, status__in=[status for status, targets in MOVES.items() if to in targets])

    GenerationQuerySet.movable = movable


def with_split_settlement() -> None:
    """The image is added in one transaction and charged in the next."""

    def finish(row: Generation, stored: list[Any]) -> bool:
        with transaction.atomic():
            if not Generation.objects.move(row.pk, fence=row.attempt, to=Status.SUCCEEDED, ended_at=Now()):
                return False
            for position, (image, key) in enumerate(stored):
                images_service.save(persist._new_image(row, position, image, key))
        time.sleep(0.3)  # as long as a busy database may take
        ledger.settle(reference=row.pk)
        spool.mark_stored(row.pk, row.attempt)
        return True

    persist._finish = finish


def without_sync() -> None:
    """Spooled images are not synced to disk."""
    spool_files._sync = lambda descriptor: None


MUTANTS: dict[str, Callable[[], None]] = {
    "sweeper-off": without_sweeper,
    "no-fence": without_fence,
    "split-settlement": with_split_settlement,
    "no-sync": without_sync,
}
