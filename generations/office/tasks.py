"""Celery tasks of the office: monthly allowances, notices and their mails, personal data that has expired."""

from celery import shared_task

from generations.office.audit_log import personal_data as audit_log_personal_data
from generations.office.credits import allowances
from generations.office.notices import mail as notices_mail
from generations.office.notices import service as notices_service
from generations.teams.sessions import service as sessions_service


@shared_task(name="generations.office.tasks.give_allowances")
def grant_due_allowances() -> None:
    """Grant every allowance that is due. Safe to run at any time, and concurrently."""
    allowances.grant_all_due()


@shared_task(name="generations.office.tasks.clear_sessions")
def delete_expired_personal_data() -> None:
    """Delete expired sessions with their addresses and browsers, and old addresses in the change log."""
    sessions_service.delete_expired()
    audit_log_personal_data.forget_addresses()


# The name is in messages that an older version may have left in the queue.
@shared_task(name="generations.office.notice_tasks.tell")
def update_notices() -> None:
    """Raise new notices, clear those that no longer hold, and send the mails that are due."""
    notices_service.raise_and_clear()
    notices_mail.send_due()
