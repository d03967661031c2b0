"""Doorways: a task brings no work and decides nothing."""

from __future__ import annotations

from celery import shared_task

from generations.office.notices import mail as notices_mail
from generations.office.notices import service as notices_service


@shared_task(name="generations.office.notice_tasks.tell")
def tell() -> None:
    """Raise what people should know, clear what is over, and send the mails that are due."""
    notices_service.compare()
    notices_mail.send_due()
