"""Doorways: a task brings no work and decides nothing."""

from celery import shared_task

from generations.office.credits import allowances


@shared_task(name="generations.office.tasks.give_allowances")
def give_allowances() -> None:
    """Give every member what is due to them; harmless at any time, and when two run at once."""
    allowances.give_due()
