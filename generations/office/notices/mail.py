"""Send the mails about notices: each notice once to each recipient, retried while the mail server is down."""

from __future__ import annotations

import logging
from datetime import timedelta
from smtplib import SMTPException, SMTPServerDisconnected
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import F
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from generations.office.models import NoticeReader
from generations.office.notices import messages as notices_messages
from generations.office.notices import service as notices_service
from generations.office.notices.preferences import EMAIL, wants

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.mail.backends.base import BaseEmailBackend

log = logging.getLogger(__name__)

BATCH_SIZE = 100  # mails per run; the rest is sent by the next run, a minute later
MAX_TRIES = 24  # with the pauses between them most of a day
MAX_PAUSE = 60  # minutes


def send_due() -> int:
    """Send the mails that are due; return how many the server accepted. Failed ones are retried with backoff.

    A mail is claimed before it is sent, so that concurrent runs send it once. If the process dies in between,
    the mail is sent after the pause.
    """
    due = list(_due()) if settings.EMAIL_URL else []
    if not due:
        return 0
    connection = get_connection()
    try:
        connection.open()
        return sum(_send(reader, connection) for reader in due)
    except OSError as error:  # of SMTP as well
        log.warning("Mails of notices wait for the mail server: %s", type(error).__name__)
        return 0
    finally:
        connection.close()


def _send(reader: NoticeReader, connection: BaseEmailBackend) -> bool:
    """Send one mail; False if it was not accepted. Raises OSError if the connection is lost."""
    if not _claim(reader):
        return False
    try:
        _message(reader, connection).send()
    except (SMTPException, ValueError) as error:  # this mail, or this address
        log.warning("A notice could not be mailed, and is tried again: %s", type(error).__name__)
        if isinstance(error, SMTPServerDisconnected):
            raise
        return False
    NoticeReader.objects.filter(pk=reader.pk).update(mailed_at=timezone.now(), mail_due_at=None)
    return True


def _due() -> Iterator[NoticeReader]:
    """Yield the readers to mail. Drop mails about cleared notices and to users who no longer get them."""
    due = NoticeReader.objects.filter(mail_due_at__lte=timezone.now()).order_by("mail_due_at", "pk")
    readers = list(due.select_related("notice__team", "user")[:BATCH_SIZE])
    recipients = notices_service.recipients([reader.notice for reader in readers])
    for reader in readers:
        is_open = reader.notice.cleared_at is None
        if (
            is_open
            and reader.user in recipients[reader.notice_id]
            and wants(reader.user, reader.notice.kind, EMAIL)
        ):
            yield reader
        else:
            NoticeReader.objects.filter(pk=reader.pk).update(mail_due_at=None)


def _claim(reader: NoticeReader) -> bool:
    """Claim the mail by scheduling its next try; False if another process claimed it first."""
    tries = reader.mail_tries + 1
    pause = timedelta(minutes=min(2**tries, MAX_PAUSE))
    next_try_at = timezone.now() + pause if tries < MAX_TRIES else None
    unclaimed = NoticeReader.objects.filter(pk=reader.pk, mail_tries=reader.mail_tries, mailed_at=None)
    due = unclaimed.filter(mail_due_at__isnull=False)
    return due.update(mail_due_at=next_try_at, mail_tries=F("mail_tries") + 1) == 1


def _message(reader: NoticeReader, connection: BaseEmailBackend) -> EmailMessage:
    """Return the mail as plain text, with links under PUBLIC_URL."""
    notice = reader.notice
    message = notices_messages.message(notice)
    context = {
        "name": reader.user.name or reader.user.email,
        "message": message,
        "team": notice.team,
        "link": f"{settings.PUBLIC_URL}{message.url}",
        "choices": f"{settings.PUBLIC_URL}{reverse('notices:choices')}",
    }
    return EmailMessage(
        subject=notices_messages.subject(notice),
        body=render_to_string("office/notices/mail.txt", context),
        to=[reader.user.email],
        headers={"Auto-Submitted": "auto-generated"},
        connection=connection,
    )
