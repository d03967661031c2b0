"""Send the mails about notices and requests for credits: each once to each recipient, retried on failure."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from smtplib import SMTPException, SMTPServerDisconnected
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import F, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from generations.office.credits import requests as credit_requests
from generations.office.models import CreditRequestMail, CreditRequestState, Mailing, NoticeKind, NoticeReader
from generations.office.notices import messages as notices_messages
from generations.office.notices import service as notices_service
from generations.office.notices.messages import NoticeMessage
from generations.office.notices.preferences import EMAIL, wants
from generations.teams.models import Team

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
    due = [*_due_requests(), *_due_notices()] if settings.EMAIL_URL else []
    if not due:
        return 0
    connection = get_connection()
    try:
        connection.open()
        return sum(_send(mail, connection) for mail in due)
    except OSError as error:  # of SMTP as well
        log.warning("Mails of notices wait for the mail server: %s", type(error).__name__)
        return 0
    finally:
        connection.close()


@dataclass(frozen=True)
class DueMail:
    """A mail that is due: its row, and what it says."""

    row: Mailing
    kind: str
    message: NoticeMessage
    team: Team | None
    about: str

    @property
    def rows(self) -> QuerySet[Any]:
        """The row as a query set, of its own table."""
        return type(self.row)._default_manager.filter(pk=self.row.pk)


def _send(mail: DueMail, connection: BaseEmailBackend) -> bool:
    """Send one mail; False if it was not accepted. Raises OSError if the connection is lost."""
    if not _claim(mail):
        return False
    try:
        _email(mail, connection).send()
    except (SMTPException, ValueError) as error:  # this mail, or this address
        log.warning("A notice could not be mailed, and is tried again: %s", type(error).__name__)
        if isinstance(error, SMTPServerDisconnected):
            raise
        return False
    mail.rows.update(mailed_at=timezone.now(), mail_due_at=None)
    return True


def _due_notices() -> Iterator[DueMail]:
    """Yield what to mail. Drop mails about cleared notices and to users who no longer get them."""
    due = NoticeReader.objects.filter(mail_due_at__lte=timezone.now(), notice__kind__in=NoticeKind.values)
    readers = list(due.select_related("notice__team", "user").order_by("mail_due_at", "pk")[:BATCH_SIZE])
    recipients = notices_service.recipients([reader.notice for reader in readers])
    for reader in readers:
        notice = reader.notice
        is_due = notice.cleared_at is None and reader.user in recipients[notice.pk]
        if is_due and wants(reader.user, notice.kind, EMAIL):
            about = notice.team.name if notice.team else str(notice.values.get("name", ""))
            yield DueMail(reader, notice.kind, notices_messages.message(notice), notice.team, about)
        else:
            NoticeReader.objects.filter(pk=reader.pk).update(mail_due_at=None)


def _due_requests() -> Iterator[DueMail]:
    """Yield what to mail about requests for credits: not once they are answered or withdrawn."""
    due = CreditRequestMail.objects.filter(mail_due_at__lte=timezone.now())
    related = ("request__member__team", "request__member__user", "request__answered_by", "user")
    for row in due.select_related(*related).order_by("mail_due_at", "pk")[:BATCH_SIZE]:
        request, kind = row.request, credit_requests.kind_of_notice(is_answer=row.is_answer)
        is_open = request.state == CreditRequestState.OPEN
        recipients = credit_requests.recipients(request, is_answer=row.is_answer)
        if is_open != row.is_answer and row.user in recipients and wants(row.user, kind, EMAIL):
            team = request.member.team
            yield DueMail(row, kind, notices_messages.credit_request(request), team, team.name)
        else:
            CreditRequestMail.objects.filter(pk=row.pk).update(mail_due_at=None)


def _claim(mail: DueMail) -> bool:
    """Claim the mail by scheduling its next try; False if another process claimed it first."""
    tries = mail.row.mail_tries + 1
    pause = timedelta(minutes=min(2**tries, MAX_PAUSE))
    next_try_at = timezone.now() + pause if tries < MAX_TRIES else None
    unclaimed = mail.rows.filter(mail_tries=mail.row.mail_tries, mailed_at=None, mail_due_at__isnull=False)
    return bool(unclaimed.update(mail_due_at=next_try_at, mail_tries=F("mail_tries") + 1) == 1)


def _email(mail: DueMail, connection: BaseEmailBackend) -> EmailMessage:
    """Return the mail as plain text, with links under PUBLIC_URL."""
    user = mail.row.user
    context = {
        "name": user.name or user.email,
        "message": mail.message,
        "team": mail.team,
        "link": f"{settings.PUBLIC_URL}{mail.message.url}",
        "choices": f"{settings.PUBLIC_URL}{reverse('notices:choices')}",
    }
    return EmailMessage(
        subject=notices_messages.subject(mail.kind, mail.about),
        body=render_to_string("office/notices/mail.txt", context),
        to=[user.email],
        headers={"Auto-Submitted": "auto-generated"},
        connection=connection,
    )
