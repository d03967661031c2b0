"""Celery tasks of the library. Queues store their names, which stay whatever the functions are called."""

from __future__ import annotations

import uuid

from celery import shared_task

from generations.library import wake
from generations.library.bulk import worker as bulk_worker
from generations.library.maintenance import cleanup as maintenance_cleanup


@shared_task(name=wake.RUN_BULK_ACTION)
def run_bulk_action(action: str) -> None:
    """Run a bulk action for a few seconds; queue the rest behind the tasks that wait."""
    if bulk_worker.process(uuid.UUID(action)):
        wake.run_bulk_action(uuid.UUID(action))


@shared_task(name="generations.library.tasks.take_up")
def resume_stalled() -> None:
    """Queue the bulk actions whose message was lost or whose worker died."""
    for action in bulk_worker.stalled():
        wake.run_bulk_action(action)


@shared_task(name="generations.library.house_tasks.keep_house")
def clean_up() -> None:
    """Empty the trash of expired images, and delete objects and rows that nothing needs any more."""
    maintenance_cleanup.clean_up()
