"""Doorways: a task brings no work and decides nothing."""

from celery import shared_task

from generations.api import idempotency


@shared_task
def forget_old_calls() -> None:
    """Forget the keys that no longer count."""
    idempotency.forget_old()
