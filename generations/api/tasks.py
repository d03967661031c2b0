"""Celery tasks of the API."""

from celery import shared_task

from generations.api import idempotency


@shared_task(name="generations.api.tasks.forget_old_calls")
def delete_expired_keys() -> None:
    """Celery task: delete idempotency keys that are older than 24 hours."""
    idempotency.delete_expired()
