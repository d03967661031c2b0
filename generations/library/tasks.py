"""Doorways: a task brings no work and decides nothing."""

from __future__ import annotations

import logging
import uuid

from celery import shared_task
from kombu.exceptions import OperationalError

from generations.library.bulk import worker as bulk_worker

log = logging.getLogger(__name__)


@shared_task(name="generations.library.tasks.carry_on")
def carry_on(deed: str) -> None:
    """Work at a deed for a few seconds, then let others have their turn."""
    if bulk_worker.carry_on(uuid.UUID(deed)):
        carry_on.delay(deed)


@shared_task(name="generations.library.tasks.take_up")
def take_up() -> None:
    """Work at what a lost ring or a lost worker left."""
    for deed in bulk_worker.abandoned():
        carry_on.delay(str(deed))


def ring_for(deed: uuid.UUID) -> None:
    """Let a worker hear of a deed; without Redis it is taken up later."""
    try:
        carry_on.delay(str(deed))
    except OperationalError as problem:
        log.info("A deed waits until it is taken up: %s", problem)
