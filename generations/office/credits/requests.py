"""Requests for credits: a member asks, those who may grant answer once, the member may withdraw.

Each verb writes its entry of the audit log in its transaction; `by` says who acts. Amounts are hundredths of
a credit. A request is closed by one conditional UPDATE: of two presses the second finds what the first did.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.core.prepared_queries import Param, PreparedQuery
from generations.credits import ledger
from generations.credits.amounts import in_credits
from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import Actor
from generations.office.credits import service as credits_service
from generations.office.credits.service import MemberAmount
from generations.office.models import (
    AuditAction,
    CreditRequest,
    CreditRequestMail,
    CreditRequestState,
    NoticeKind,
)
from generations.office.notices.preferences import EMAIL, wants
from generations.teams.models import Kind, Membership, Team, User
from generations.teams.permissions import PERMISSIONS

MAX_REQUESTS = 10  # of a member in a day: each may send mails
DAY = timedelta(days=1)
ANSWER_SHOWN = timedelta(days=7)  # unless it is put away before


class RequestRefused(Exception):
    """The request cannot be made or answered; the text is shown to people."""


class AlreadyAsked(RequestRefused):
    """The member has an open request."""

    def __init__(self, request: CreditRequest) -> None:
        text = _("You have asked for %(credits)s already. Withdraw that first.")
        super().__init__(text % {"credits": in_credits(request.amount)})


class AskedTooOften(RequestRefused):
    """The member has made MAX_REQUESTS within a day."""

    def __init__(self) -> None:
        text = _("You have asked %(count)s times within a day. Ask again tomorrow.")
        super().__init__(text % {"count": MAX_REQUESTS})


class RequestClosed(RequestRefused):
    """The request was answered in another way, or withdrawn."""

    def __init__(self, request: CreditRequest) -> None:
        texts = {
            CreditRequestState.GRANTED: _("%(who)s was granted credits for this before."),
            CreditRequestState.DECLINED: _("%(who)s was told No before. Credits can still be granted."),
            CreditRequestState.WITHDRAWN: _("%(who)s has withdrawn this request."),
        }
        super().__init__(texts[CreditRequestState(request.state)] % {"who": request.member})


def may_ask(member: Membership) -> bool:
    """Whether the member spends credits that somebody else grants: not those who grant, and no program."""
    spends = member.role in PERMISSIONS["generate"] and member.role not in PERMISSIONS["grant"]
    return spends and member.kind == Kind.PERSON


def open_request(member: Membership) -> CreditRequest | None:
    """Return the member's open request, if there is one."""
    return CreditRequest.objects.filter(member=member, state=CreditRequestState.OPEN).first()


def shown_to(member: Membership) -> list[CreditRequest]:
    """Return what a page tells the member: requests they may answer, and new answers to their own."""
    query = _shown_to_grantors if member.role in PERMISSIONS["grant"] else _shown_to_members
    return query.all(member=member.pk, team=member.team_id, since=timezone.now() - ANSWER_SHOWN)


def _shown(*, grants: bool) -> QuerySet[CreditRequest]:
    answered = (CreditRequestState.GRANTED, CreditRequestState.DECLINED)
    shown = Q(member=Param("member"), state__in=answered, seen_at=None, closed_at__gt=Param("since"))
    if grants:
        shown |= Q(
            state=CreditRequestState.OPEN,
            member__team=Param("team"),
            member__ended_at=None,
            member__user__is_active=True,
        )
    rows = CreditRequest.objects.filter(shown).select_related("member__user", "member__team", "answered_by")
    return rows.order_by("-asked_at", "pk")


_shown_to_members = PreparedQuery(partial(_shown, grants=False))
_shown_to_grantors = PreparedQuery(partial(_shown, grants=True))


@transaction.atomic
def ask(*, member: Membership, amount: int, note: str, reference: uuid.UUID, by: Actor) -> CreditRequest:
    """Ask for credits, once per reference.

    Raises AlreadyAsked while another request of the member is open, AskedTooOften, and MembershipEnded.
    """
    known = CreditRequest.objects.filter(pk=reference, member=member).first()
    if known:
        return known
    if member.kind != Kind.PERSON or not Membership.objects.filter(pk=member.pk, ended_at=None).exists():
        raise ledger.MembershipEnded
    if waiting := open_request(member):
        raise AlreadyAsked(waiting)
    if member.credit_requests.filter(asked_at__gt=timezone.now() - DAY).count() >= MAX_REQUESTS:
        raise AskedTooOften
    request = CreditRequest(pk=reference, member=member, amount=amount, note=note)
    try:
        with transaction.atomic():
            request.save(force_insert=True)
    except IntegrityError:  # another one was made at the same moment, or the reference is somebody else's
        waiting = open_request(member)
        raise (AlreadyAsked(waiting) if waiting else ledger.ReferenceTaken()) from None
    audit_log_service.record(
        by, AuditAction.CREDITS_ASKED, member=member, after={"amount": amount}, note=note
    )
    _schedule_mails(request, is_answer=False)
    return request


@transaction.atomic
def grant(*, request: CreditRequest, amount: int, word: str, by: Actor) -> CreditRequest:
    """Grant the member an amount, which may differ from what was asked for, and return the closed request.

    If it was granted before, nothing more moves. Raises RequestClosed if it was declined or withdrawn, and
    what the ledger raises: InsufficientCredits, MembershipEnded.
    """
    if _close(request, CreditRequestState.GRANTED, granted=amount, answer=word, answered_by=by.user):
        credits_service.grant(
            team=request.member.team,
            amounts=[MemberAmount(request.member, amount, request.note)],
            reference=request.pk,
            by=by,
            note=word or request.note,
        )
        _schedule_mails(request, is_answer=True)
    return _closed_as(request, CreditRequestState.GRANTED)


@transaction.atomic
def decline(*, request: CreditRequest, word: str, by: Actor) -> CreditRequest:
    """Answer No and return the closed request; RequestClosed if it was granted or withdrawn before."""
    if _close(request, CreditRequestState.DECLINED, answer=word, answered_by=by.user):
        after = {"amount": request.amount}
        audit_log_service.record(
            by, AuditAction.CREDITS_DECLINED, member=request.member, after=after, note=word
        )
        _schedule_mails(request, is_answer=True)
    return _closed_as(request, CreditRequestState.DECLINED)


@transaction.atomic
def withdraw(*, member: Membership, by: Actor) -> bool:
    """Withdraw the member's open request; False if there is none, perhaps because it was just answered."""
    request = open_request(member)
    if request is None or not _close(request, CreditRequestState.WITHDRAWN):
        return False
    after = {"amount": request.amount}
    audit_log_service.record(by, AuditAction.CREDITS_WITHDRAWN, member=member, after=after)
    return True


def put_away(request: CreditRequest) -> None:
    """Show the answer no more to the member who asked."""
    CreditRequest.objects.filter(pk=request.pk, seen_at=None).update(seen_at=timezone.now())
    CreditRequestMail.objects.filter(request=request, is_answer=True).update(mail_due_at=None)


def granters(team: Team) -> list[User]:
    """Return who may answer requests of the team."""
    return _users(Q(team=team, role__in=PERMISSIONS["grant"]))


def recipients(request: CreditRequest, *, is_answer: bool) -> list[User]:
    """Return who is told now: the member about the answer, before it those who may answer."""
    return _users(Q(pk=request.member_id)) if is_answer else granters(request.member.team)


def requests_of(team: Team) -> QuerySet[CreditRequest]:
    """Return all requests of the team, closed ones included, with their members."""
    return CreditRequest.objects.filter(member__team=team).select_related(
        "member__user", "member__team", "answered_by"
    )


def kind_of_notice(*, is_answer: bool) -> NoticeKind:
    """Return the kind of notice by which a person chooses whether to be told."""
    return NoticeKind.CREDITS_ANSWERED if is_answer else NoticeKind.CREDITS_ASKED


def _users(which: Q) -> list[User]:
    """Return the people of these memberships, as far as they are in the team now."""
    current = Membership.objects.filter(which, ended_at=None, team__deactivated_at=None)
    rows = current.filter(user__is_active=True).select_related("user").order_by("pk")
    return [row.user for row in rows if row.user]


def _close(request: CreditRequest, state: CreditRequestState, **changes: object) -> bool:
    """Close an open request; False if somebody closed it first."""
    waiting = CreditRequest.objects.filter(pk=request.pk, state=CreditRequestState.OPEN)
    return waiting.update(state=state, closed_at=timezone.now(), **changes) == 1


def _closed_as(request: CreditRequest, state: CreditRequestState) -> CreditRequest:
    """Return the request as it is stored; RequestClosed if it was closed in another way."""
    row = requests_of(request.member.team).get(pk=request.pk)
    if row.state != state:
        raise RequestClosed(row)
    return row


def _schedule_mails(request: CreditRequest, *, is_answer: bool) -> None:
    if not settings.EMAIL_URL:
        return
    kind, now = kind_of_notice(is_answer=is_answer), timezone.now()
    CreditRequestMail.objects.bulk_create(
        [
            CreditRequestMail(request=request, user=user, is_answer=is_answer, mail_due_at=now)
            for user in recipients(request, is_answer=is_answer)
            if wants(user, kind, EMAIL)
        ],
        ignore_conflicts=True,
    )
