"""Celery tasks of the API."""

from celery import shared_task

from generations.api import idempotency
from generations.api.compat import undelivered


@shared_task(name="generations.api.tasks.forget_old_calls")
def delete_expired_keys() -> None:
    """Celery task: delete idempotency keys that are older than 24 hours, and orders that nobody joins now."""
    idempotency.delete_expired()
    undelivered.delete_expired()
