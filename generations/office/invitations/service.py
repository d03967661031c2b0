"""Inviting people, and letting them in: the link, the mail, the starting credits, the audit log."""

import logging
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from smtplib import SMTPException, SMTPServerDisconnected

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from generations.credits import ledger
from generations.credits.amounts import as_text
from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import By
from generations.office.models import AuditAction
from generations.teams import invitations, membership
from generations.teams.models import Invitation, InvitationUse, Membership, Role, Team, User
from generations.teams.permissions import roles_given_by

log = logging.getLogger(__name__)
GRANTS = uuid.UUID("7d1c3c3e-6f0b-4a52-9a55-0c5d5f7e2a10")  # names the lines that invitations grant


@dataclass(frozen=True)
class Offer:
    """What an invitation offers: the role, starting credits in hundredths, and how long it is good."""

    role: Role
    credits: int
    lasts: timedelta


@dataclass(frozen=True)
class Mailed:
    """Who was mailed an invitation, by this or an earlier sending of the form, and to whom none could be."""

    to: list[str]
    not_to: list[str]


class NotMailed(Exception):
    """The mail server took none of it; the invitations are taken back."""

    def __init__(self) -> None:
        super().__init__(
            _("The mail could not be sent, so nobody was invited. Try again, or pass on a link.")
        )


def invite_by_link(*, inviter: Membership, form: uuid.UUID, offer: Offer, uses: int, by: By) -> str:
    """A link that lets so many people in. The same form gives the same link, and one invitation.

    InvitationRefused if the form's link lets nobody in any more.
    """
    token = invitations.token_for(team=inviter.team, maker=inviter.user, form=form, about=(offer, uses))
    invitation, _is_new = _make(inviter, token, offer, uses=uses, by=by)
    invitations.must_be_good(invitation)
    return invitations.link(token)


def invite_by_mail(
    *, inviter: Membership, form: uuid.UUID, offer: Offer, emails: Collection[str], by: By
) -> Mailed:
    """Mail each a link that is good for that address alone. NotMailed if none could be sent.

    Nobody but who reads the mailbox sees the link, so whoever comes with it has that address.
    """
    fresh: list[tuple[Invitation, EmailMessage]] = []
    failed: list[str] = []
    with transaction.atomic():
        for email in emails:
            about = (offer, email)
            token = invitations.token_for(team=inviter.team, maker=inviter.user, form=form, about=about)
            invitation, is_new = _make(inviter, token, offer, email=email, by=by)
            if is_new:
                fresh.append((invitation, _mail(inviter, invitation, invitations.link(token))))
            elif invitation.revoked_at:
                failed.append(email)
    for invitation in _send(fresh):
        _take_back(invitation, by)
        failed.append(invitation.email)
    if len(failed) == len(emails):
        raise NotMailed
    return Mailed([email for email in emails if email not in failed], failed)


@transaction.atomic
def revoke(*, invitation: Invitation, acting: Membership, by: By) -> bool:
    """Let nobody in by it any more; False if nobody could. PermissionDenied if only an owner may."""
    _may_offer(acting, Role(invitation.role))
    return _take_back(invitation, by)


@transaction.atomic
def revoke_of(*, maker: User, team: Team, by: By, except_for: Collection[Role] = ()) -> None:
    """Take back what the person invited to the team, but not to these roles."""
    for invitation in invitations.revoke_of(maker=maker, team=team, except_for=except_for):
        audit_log_service.record(by, AuditAction.INVITATION_REVOKED, team=team, subject=invitation.email)


@transaction.atomic
def accept(*, token: str, user: User, by: By) -> Membership:
    """Let the person in by the link; InvitationRefused or AlreadyIn if it does not, and then it is not used.

    Starting credits that the pool does not have are left out: the person comes in anyway, and the
    people page and the log say so.
    """
    invitation = invitations.find(token)
    invitations.use(invitation, user)
    came_back = user.memberships.filter(team=invitation.team).exists()
    member = membership.join(user, invitation.team, Role(invitation.role))
    ledger.open_pool(invitation.team)
    ledger.open_wallet(member)
    granted = _grant(invitation, member)
    InvitationUse.objects.create(invitation=invitation, membership=member, granted=granted)
    left_out = _("The pool had too little for the %(credits)s credits of the invitation.")
    audit_log_service.record(
        by,
        AuditAction.MEMBER_ADMITTED,
        member=member,
        after={"did": "came_back" if came_back else "joined", "role": member.role}
        | ({"credits": granted} if granted else {}),
        note="" if granted == invitation.credits else left_out % {"credits": as_text(invitation.credits)},
    )
    return member


@transaction.atomic
def _take_back(invitation: Invitation, by: By) -> bool:
    if not invitations.revoke(invitation):
        return False
    audit_log_service.record(
        by, AuditAction.INVITATION_REVOKED, team=invitation.team, subject=invitation.email
    )
    return True


def _may_offer(member: Membership, role: Role) -> None:
    present = Membership.objects.filter(pk=member.pk, ended_at=None, user__is_active=True)
    asking = present.values_list("role", flat=True).first()
    if role not in roles_given_by(asking or ""):
        raise PermissionDenied(_("Nobody offers more than they have: only owners invite owners."))


@transaction.atomic
def _make(
    inviter: Membership, token: str, offer: Offer, *, email: str = "", uses: int = 1, by: By
) -> tuple[Invitation, bool]:
    membership.lock_team(inviter.team)  # who is demoted or removed just now offers nothing any more
    _may_offer(inviter, offer.role)
    invitation, is_new = invitations.make(
        team=inviter.team,
        maker=inviter.user,
        token=token,
        email=email,
        role=offer.role,
        granted=offer.credits,
        uses=uses,
        lasts=offer.lasts,
    )
    if is_new:
        facts = {"role": offer.role, "credits": offer.credits, "uses": uses if uses > 1 else 0}
        facts["expires_at"] = invitation.expires_at.isoformat(timespec="minutes")
        after = {name: value for name, value in facts.items() if value}
        audit_log_service.record(by, AuditAction.INVITED, team=inviter.team, subject=email, after=after)
    return invitation, is_new


def _grant(invitation: Invitation, member: Membership) -> int:
    """The starting credits from the pool, or none of them; in hundredths."""
    if not invitation.credits:
        return 0
    reference = uuid.uuid5(GRANTS, f"{invitation.pk}/{member.pk}")
    note = _("Starting credits of the invitation")
    try:
        ledger.grant(
            member=member,
            amount=invitation.credits,
            reference=reference,
            actor=invitation.made_by,
            note=note,
        )
    except ledger.InsufficientCredits:
        return 0
    return invitation.credits


def _mail(inviter: Membership, invitation: Invitation, link: str) -> EmailMessage:
    named = {"inviter": _on_one_line(inviter), "team": _on_one_line(inviter.team)}
    about = named | {"invitation": invitation, "link": link, "role": invitation.get_role_display()}
    return EmailMessage(
        subject=_("%(inviter)s invites you to %(team)s") % named,
        body=render_to_string("office/invitations/mail.txt", about),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[invitation.email],
    )


def _on_one_line(named: object) -> str:
    """A name that cannot add a line to a mail's head."""
    return " ".join(str(named).split())


def _send(fresh: list[tuple[Invitation, EmailMessage]]) -> list[Invitation]:
    """Each by itself over one connection, after all is committed; those whose mail was not taken.

    A server that is gone takes none of the rest.
    """
    taken: set[int] = set()
    connection = get_connection()
    try:
        for invitation, mail in fresh:
            connection.open()
            if _is_taken(mail, connection):
                taken.add(invitation.pk)
    except OSError as problem:  # of SMTP as well
        log.warning("Invitations could not be mailed: %s", type(problem).__name__)
    finally:
        connection.close()
    return [invitation for invitation, _mail_of_it in fresh if invitation.pk not in taken]


def _is_taken(mail: EmailMessage, connection: BaseEmailBackend) -> bool:
    """Whether the mail server took it; OSError if the server is gone for all of them."""
    try:
        return connection.send_messages([mail]) == 1
    except (SMTPException, ValueError) as problem:  # this mail, or this address
        if isinstance(problem, SMTPServerDisconnected):
            raise
        log.warning("An invitation could not be mailed: %s", type(problem).__name__)
        return False
