"""Mails about notices: each person gets each once. A mail server that is away delays, and blocks nobody."""

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

MOST = 100  # mails of one go; the rest goes a minute later
TRIES = 24  # with the pauses between them most of a day
LONGEST_PAUSE = 60  # minutes


def send_due() -> int:
    """Send what is due; how many mails the server took. What failed is tried again, less and less often.

    A mail is claimed before it is sent, so of two that send at once one does. One whose sender dies
    in between is sent again after the pause.
    """
    due = list(_due()) if settings.EMAIL_URL else []
    if not due:
        return 0
    connection = get_connection()
    try:
        connection.open()
        return sum(_send(reader, connection) for reader in due)
    except OSError as problem:  # of SMTP as well
        log.warning("Mails of notices wait for the mail server: %s", type(problem).__name__)
        return 0
    finally:
        connection.close()


def _send(reader: NoticeReader, connection: BaseEmailBackend) -> bool:
    """Whether the mail server took it; OSError if the server is gone for all of them."""
    if not _claim(reader):
        return False
    try:
        _message(reader, connection).send()
    except (SMTPException, ValueError) as problem:  # this mail, or this address
        log.warning("A notice could not be mailed, and is tried again: %s", type(problem).__name__)
        if isinstance(problem, SMTPServerDisconnected):
            raise
        return False
    NoticeReader.objects.filter(pk=reader.pk).update(mailed_at=timezone.now(), mail_due_at=None)
    return True


def _due() -> Iterator[NoticeReader]:
    """Those whom a mail is due to and whom the notice still concerns; the others get none."""
    due = NoticeReader.objects.filter(mail_due_at__lte=timezone.now()).order_by("mail_due_at", "pk")
    readers = list(due.select_related("notice__team", "user")[:MOST])
    people = notices_service.audience([reader.notice for reader in readers])
    for reader in readers:
        is_open = reader.notice.cleared_at is None
        if (
            is_open
            and reader.user in people[reader.notice_id]
            and wants(reader.user, reader.notice.kind, EMAIL)
        ):
            yield reader
        else:
            NoticeReader.objects.filter(pk=reader.pk).update(mail_due_at=None)


def _claim(reader: NoticeReader) -> bool:
    """Take it, and put off everybody else's next try; False if somebody took it first."""
    tries = reader.mail_tries + 1
    pause = timedelta(minutes=min(2**tries, LONGEST_PAUSE))
    again = timezone.now() + pause if tries < TRIES else None
    unclaimed = NoticeReader.objects.filter(pk=reader.pk, mail_tries=reader.mail_tries, mailed_at=None)
    taken = unclaimed.filter(mail_due_at__isnull=False)
    return taken.update(mail_due_at=again, mail_tries=F("mail_tries") + 1) == 1


def _message(reader: NoticeReader, connection: BaseEmailBackend) -> EmailMessage:
    """Plain text, in one language, with links under PUBLIC_URL."""
    notice = reader.notice
    said = notices_messages.said(notice)
    context = {
        "name": reader.user.name or reader.user.email,
        "said": said,
        "team": notice.team,
        "link": f"{settings.PUBLIC_URL}{said.link}",
        "choices": f"{settings.PUBLIC_URL}{reverse('notices:choices')}",
    }
    return EmailMessage(
        subject=notices_messages.subject(notice),
        body=render_to_string("office/notices/mail.txt", context),
        to=[reader.user.email],
        headers={"Auto-Submitted": "auto-generated"},
        connection=connection,
    )
