"""Messages that wake Celery workers, sent by the task's name: services need not import `tasks`."""

from __future__ import annotations

import logging
import uuid

from celery import signature
from kombu.exceptions import OperationalError
from redis import RedisError

RUN_BULK_ACTION = "generations.library.tasks.carry_on"  # messages in the queue have this name: it stays

log = logging.getLogger(__name__)


def run_bulk_action(action: uuid.UUID) -> None:
    """Queue the task that runs a bulk action; while Redis is away, `resume_stalled` finds it later."""
    try:
        signature(RUN_BULK_ACTION, args=[str(action)]).delay()
    except (OperationalError, RedisError) as error:  # away, or it takes no writes
        log.info("A bulk action was not queued; it is resumed later: %s", error)
