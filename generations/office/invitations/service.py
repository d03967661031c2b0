"""Send and revoke invitations; accepting one creates the membership and grants starting credits."""

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
from generations.credits.amounts import in_credits
from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import Actor
from generations.office.models import AuditAction
from generations.teams import api_tokens, invitation_links, membership
from generations.teams.models import Invitation, InvitationUse, Membership, Role, Team, Token, User
from generations.teams.permissions import assignable_roles

log = logging.getLogger(__name__)
GRANT_NAMESPACE = uuid.UUID("7d1c3c3e-6f0b-4a52-9a55-0c5d5f7e2a10")  # of the references of starting credits


@dataclass(frozen=True)
class Offer:
    """What an invitation offers: a role, starting credits in hundredths, and for how long it is valid.

    Tokens are derived from its repr: renaming the class or a field changes the links of forms that are sent
    again.
    """

    role: Role
    credits: int
    lasts: timedelta


@dataclass(frozen=True)
class Mailed:
    """The addresses that were mailed an invitation, now or before by the same form, and the others."""

    to: list[str]
    not_to: list[str]


class NotMailed(Exception):
    """The mail server accepted none of the mails; the invitations are revoked."""

    def __init__(self) -> None:
        super().__init__(
            _("The mail could not be sent, so nobody was invited. Try again, or pass on a link.")
        )


def invite_by_link(
    *,
    inviter: Membership,
    form_id: uuid.UUID,
    offer: Offer,
    uses: int,
    by: Actor,
    token: Token | None = None,
) -> str:
    """Create an invitation for `uses` people and return its URL. The same form returns the same link.

    `token` is the API token of the request: the invitation ends with it. Raises InvitationInvalid if the link
    of the form cannot be used any more.
    """
    link_token = invitation_links.derive_token(
        team=inviter.team, made_by=inviter.user, form_id=form_id, about=(offer, uses)
    )
    invitation, _is_new = _create(inviter, link_token, offer, uses=uses, by=by, token=token)
    invitation_links.check_usable(invitation)
    return invitation_links.url_of(link_token)


def invite_by_mail(
    *,
    inviter: Membership,
    form_id: uuid.UUID,
    offer: Offer,
    emails: Collection[str],
    by: Actor,
    token: Token | None = None,
) -> Mailed:
    """Mail each address a link that is valid for that address only; raise NotMailed if no mail could be sent.

    Only the owner of the mailbox sees the link, so accepting it also confirms the address. `token` as in
    `invite_by_link`.
    """
    to_send: list[tuple[Invitation, EmailMessage]] = []
    failed: list[str] = []
    with transaction.atomic():
        for email in emails:
            about = (offer, email)
            link_token = invitation_links.derive_token(
                team=inviter.team, made_by=inviter.user, form_id=form_id, about=about
            )
            invitation, is_new = _create(inviter, link_token, offer, email=email, by=by, token=token)
            if is_new:
                to_send.append((invitation, _mail(inviter, invitation, invitation_links.url_of(link_token))))
            elif invitation.revoked_at:
                failed.append(email)
    for invitation in _send(to_send):
        _revoke(invitation, by)
        failed.append(invitation.email)
    if len(failed) == len(emails):
        raise NotMailed
    return Mailed([email for email in emails if email not in failed], failed)


@transaction.atomic
def revoke(*, invitation: Invitation, requester: Membership, by: Actor) -> bool:
    """Revoke the invitation.

    False if it was not usable. Raises PermissionDenied if only an owner may revoke it.
    """
    _check_may_invite(requester, Role(invitation.role))
    return _revoke(invitation, by)


@transaction.atomic
def revoke_all(*, made_by: User, team: Team, by: Actor, except_for: Collection[Role] = ()) -> None:
    """Revoke a user's open invitations to the team, except those to the given roles."""
    for invitation in invitation_links.revoke_all(made_by=made_by, team=team, except_for=except_for):
        audit_log_service.record(by, AuditAction.INVITATION_REVOKED, team=team, subject=invitation.email)


@transaction.atomic
def revoke_issued(*, token: Token, by: Actor) -> None:
    """Revoke the open invitations that an API token made."""
    for invitation in Invitation.objects.select_related("team").filter(token=token).order_by("pk"):
        _revoke(invitation, by)


@transaction.atomic
def accept(*, token: str, user: User, by: Actor) -> Membership:
    """Make the user a member by the invitation with this token.

    If the pool has too little for the starting credits, the user joins without them; the page of members and
    the audit log say so. Raises InvitationInvalid or AlreadyMember, and then the invitation is not used.
    """
    invitation = invitation_links.find(token)
    invitation_links.redeem(invitation, user)
    is_rejoining = user.memberships.filter(team=invitation.team).exists()
    member = membership.join(user, invitation.team, Role(invitation.role))
    ledger.open_pool(invitation.team)
    ledger.open_wallet(member)
    granted = _grant(invitation, member)
    InvitationUse.objects.create(invitation=invitation, membership=member, granted=granted)
    without_credits = _("The team had too little for the %(credits)s of the invitation.")
    audit_log_service.record(
        by,
        AuditAction.MEMBER_ADMITTED,
        member=member,
        after={"did": "came_back" if is_rejoining else "joined", "role": member.role}
        | ({"credits": granted} if granted else {}),
        note=""
        if granted == invitation.credits
        else without_credits % {"credits": in_credits(invitation.credits)},
    )
    return member


@transaction.atomic
def _revoke(invitation: Invitation, by: Actor) -> bool:
    if not invitation_links.revoke(invitation):
        return False
    audit_log_service.record(
        by, AuditAction.INVITATION_REVOKED, team=invitation.team, subject=invitation.email
    )
    return True


def _check_may_invite(member: Membership, role: Role) -> None:
    current = Membership.objects.filter(pk=member.pk, ended_at=None, user__is_active=True)
    own_role = current.values_list("role", flat=True).first()
    if role not in assignable_roles(own_role or ""):
        raise PermissionDenied(
            _("Only owners invite owners, and only administrators and owners invite others.")
        )


def _check_valid(token: Token) -> None:
    """Raise PermissionDenied for an API token that was revoked since the request was authenticated."""
    try:
        api_tokens.lock(token)
    except api_tokens.TokenInvalid as refusal:
        raise PermissionDenied(str(refusal)) from None


@transaction.atomic
def _create(
    inviter: Membership,
    link_token: str,
    offer: Offer,
    *,
    email: str = "",
    uses: int = 1,
    by: Actor,
    token: Token | None = None,
) -> tuple[Invitation, bool]:
    membership.lock_team(inviter.team)  # so that the role checked below is the current one
    _check_may_invite(inviter, offer.role)
    if token:
        _check_valid(token)
    invitation, is_new = invitation_links.create(
        team=inviter.team,
        made_by=inviter.user,
        link_token=link_token,
        email=email,
        role=offer.role,
        starting_credits=offer.credits,
        uses=uses,
        lasts=offer.lasts,
        token=token,
    )
    if is_new:
        facts = {"role": offer.role, "credits": offer.credits, "uses": uses if uses > 1 else 0}
        facts["expires_at"] = invitation.expires_at.isoformat(timespec="minutes")
        after = {name: value for name, value in facts.items() if value}
        audit_log_service.record(by, AuditAction.INVITED, team=inviter.team, subject=email, after=after)
    return invitation, is_new


def _grant(invitation: Invitation, member: Membership) -> int:
    """Grant the starting credits from the pool; return them in hundredths, 0 if the pool has too little."""
    if not invitation.credits:
        return 0
    reference = uuid.uuid5(GRANT_NAMESPACE, f"{invitation.pk}/{member.pk}")
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
    names = {"inviter": _single_line(inviter), "team": _single_line(inviter.team)}
    context = names | {"invitation": invitation, "link": link, "role": invitation.get_role_display()}
    return EmailMessage(
        subject=_("%(inviter)s invites you to %(team)s") % names,
        body=render_to_string("office/invitations/mail.txt", context),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[invitation.email],
    )


def _single_line(name: object) -> str:
    """Collapse white space, so that a name cannot add a mail header."""
    return " ".join(str(name).split())


def _send(to_send: list[tuple[Invitation, EmailMessage]]) -> list[Invitation]:
    """Send the mails over one connection, after the commit.

    Returns the invitations whose mail was not accepted. After a lost connection the remaining mails count as
    not accepted.
    """
    accepted: set[int] = set()
    connection = get_connection()
    try:
        for invitation, mail in to_send:
            connection.open()
            if _send_one(mail, connection):
                accepted.add(invitation.pk)
    except OSError as error:  # of SMTP as well
        log.warning("Invitations could not be mailed: %s", type(error).__name__)
    finally:
        connection.close()
    return [invitation for invitation, _message in to_send if invitation.pk not in accepted]


def _send_one(mail: EmailMessage, connection: BaseEmailBackend) -> bool:
    """Send one mail; False if the server refused it. Raises OSError if the connection is lost."""
    try:
        return connection.send_messages([mail]) == 1
    except (SMTPException, ValueError) as error:  # this mail, or this address
        if isinstance(error, SMTPServerDisconnected):
            raise
        log.warning("An invitation could not be mailed: %s", type(error).__name__)
        return False
