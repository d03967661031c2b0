"""Invitation links: their tokens, and creating, finding, redeeming and revoking the invitation behind one.

Only the SHA-256 of a token is stored. The token is an HMAC under SECRET_KEY of the submitted form, so a form
that is sent twice creates one invitation and can still show its link. `office.invitations` sends invitations,
checks who may, and makes members of those who accept.
"""

import hashlib
import re
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Collection
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from generations.teams.models import Invitation, InvitationUse, Role, Team, Token, User

SALT = "generations.teams.invitations"
TOKEN = re.compile(r"[-_0-9A-Za-z]{43}")  # 256 bits in base 64


class InvitationInvalid(Exception):
    """The link cannot be used, or not by this user; the message says why."""


class InvitationUnknown(InvitationInvalid):
    """No open team has an invitation with this token."""

    def __init__(self) -> None:
        super().__init__(_("There is no such invitation. Is the link complete?"))


class InvitationRevoked(InvitationInvalid):
    """The invitation was revoked."""

    def __init__(self) -> None:
        super().__init__(_("This invitation was revoked. Ask for a new one."))


class InvitationExpired(InvitationInvalid):
    """The invitation has expired."""

    def __init__(self) -> None:
        super().__init__(_("This invitation has expired. Ask for a new one."))


class InvitationUsedUp(InvitationInvalid):
    """The invitation was used as often as it allows, or before by this user."""

    def __init__(self) -> None:
        super().__init__(_("This invitation was used before. Ask for a new one."))


class WrongRecipient(InvitationInvalid):
    """The invitation was mailed to an address that the user has not confirmed."""

    def __init__(self, user: User) -> None:
        super().__init__(
            _("This invitation was mailed to another address than %(email)s. Sign in with that one.")
            % {"email": user.email}
        )


def derive_token(*, team: Team, made_by: User | None, form_id: uuid.UUID, about: object) -> str:
    """Derive the token of 256 bits; the same form with the same `about` gives the same token."""
    message = "/".join((str(team.pk), str(made_by.pk if made_by else 0), str(form_id), str(about)))
    digest = salted_hmac(SALT, message, algorithm="sha256").digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def hash_token(token: str) -> str:
    """Return the stored hash of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def url_of(token: str) -> str:
    """Return the absolute URL of the link, under PUBLIC_URL."""
    return f"{settings.PUBLIC_URL}{reverse('people:join', args=[token])}"


def create(
    *,
    team: Team,
    made_by: User | None,
    link_token: str,
    email: str = "",
    role: Role = Role.MEMBER,
    starting_credits: int = 0,
    uses: int = 1,
    lasts: timedelta,
    token: Token | None = None,
) -> tuple[Invitation, bool]:
    """Return the invitation with this link token, and whether it is new. `starting_credits` in hundredths.

    `token` is the API token that makes it: the invitation expires no later.
    """
    expires_at = timezone.now() + lasts
    if token and token.expires_at:
        expires_at = min(expires_at, token.expires_at)
    return Invitation.objects.get_or_create(
        token_hash=hash_token(link_token),
        defaults={
            "team": team,
            "made_by": made_by,
            "email": email.lower(),
            "role": role,
            "credits": starting_credits,
            "uses": uses,
            "expires_at": expires_at,
            "token": token,
        },
    )


def find(token: str) -> Invitation:
    """Return the usable invitation with this token.

    Raises a subclass of InvitationInvalid if there is none; what has another shape is not looked up.
    """
    if not TOKEN.fullmatch(token):
        raise InvitationUnknown
    rows = Invitation.objects.select_related("team", "made_by")
    invitation = rows.filter(token_hash=hash_token(token), team__deactivated_at=None).first()
    if invitation is None:
        raise InvitationUnknown
    check_usable(invitation)
    return invitation


def check_usable(invitation: Invitation) -> None:
    """Raise a subclass of InvitationInvalid if the invitation cannot be used any more."""
    if invitation.revoked_at:
        raise InvitationRevoked
    if invitation.used >= invitation.uses:
        raise InvitationUsedUp
    if invitation.expires_at <= timezone.now():
        raise InvitationExpired


def check_recipient(invitation: Invitation, user: User) -> None:
    """Raise WrongRecipient if the invitation was mailed to an address that the user has not confirmed."""
    email = invitation.email
    if email and not EmailAddress.objects.filter(user=user, email__iexact=email, verified=True).exists():
        raise WrongRecipient(user)


def redeem(invitation: Invitation, user: User) -> None:
    """Count one use of the invitation.

    Raises InvitationInvalid if it has none left, or the user used it before. A member who was removed cannot
    rejoin by the same link.
    """
    check_recipient(invitation, user)
    if InvitationUse.objects.filter(invitation=invitation, membership__user=user).exists():
        raise InvitationUsedUp
    usable = Invitation.objects.filter(pk=invitation.pk, revoked_at=None, expires_at__gt=Now())
    if not usable.filter(used__lt=F("uses")).update(used=F("used") + 1):
        invitation.refresh_from_db()
        check_usable(invitation)
        raise InvitationUsedUp


def revoke(invitation: Invitation) -> bool:
    """Revoke the invitation; False if it was not usable any more."""
    usable = Invitation.objects.filter(pk=invitation.pk, revoked_at=None, expires_at__gt=Now())
    return usable.filter(used__lt=F("uses")).update(revoked_at=timezone.now()) == 1


def revoke_all(*, made_by: User, team: Team, except_for: Collection[Role] = ()) -> list[Invitation]:
    """Revoke a user's open invitations to the team, except those to the given roles.

    Returns the revoked ones.
    """
    usable = Invitation.objects.filter(team=team, made_by=made_by, revoked_at=None, expires_at__gt=Now())
    rows = usable.exclude(role__in=except_for).filter(used__lt=F("uses")).order_by("pk")
    return [invitation for invitation in rows if revoke(invitation)]
