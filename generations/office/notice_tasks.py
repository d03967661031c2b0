"""Doorways: a task brings no work and decides nothing."""

from __future__ import annotations

from celery import shared_task

from generations.office import mails, notices


@shared_task(name="generations.office.notice_tasks.tell")
def tell() -> None:
    """Raise what people should know, clear what is over, and send the mails that are due."""
    notices.compare()
    mails.send_due()
