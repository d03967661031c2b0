"""Celery tasks of the ledger."""

from celery import shared_task

from generations.credits import daily_totals


@shared_task(name="generations.credits.tasks.close_days")
def close_days() -> None:
    """Store the daily totals of the days that are over."""
    daily_totals.close_days()
