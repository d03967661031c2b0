"""Doorways: a task brings no work and decides nothing."""

from celery import shared_task

from generations.api import idempotency


@shared_task(name="generations.api.tasks.forget_old_calls")
def forget_old_calls() -> None:
    """Forget the keys that no longer count."""
    idempotency.forget_old()
