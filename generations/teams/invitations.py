"""Links that let people into a team: made, found by their token, used up.

Only a token's SHA-256 is kept. The token itself is an HMAC under the installation's secret of
what the form that made it carries, so a form that is sent twice makes one invitation, and can
still show its link.
"""

import hashlib
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

from generations.teams.models import Invitation, InvitationUse, Role, Team, User

SALT = "generations.teams.invitations"


class InvitationRefused(Exception):
    """The link lets this person in no (more)."""


class NoSuchInvitation(InvitationRefused):
    """No invitation has this token."""

    def __init__(self) -> None:
        super().__init__(_("There is no such invitation. Is the link complete?"))


class Revoked(InvitationRefused):
    """Somebody took it back."""

    def __init__(self) -> None:
        super().__init__(_("This invitation was taken back. Ask for a new one."))


class Expired(InvitationRefused):
    """It is too old."""

    def __init__(self) -> None:
        super().__init__(_("This invitation has expired. Ask for a new one."))


class UsedUp(InvitationRefused):
    """As many came as it was for."""

    def __init__(self) -> None:
        super().__init__(_("This invitation was used before. Ask for a new one."))


class ForSomebodyElse(InvitationRefused):
    """It was mailed to another address."""

    def __init__(self, user: User) -> None:
        super().__init__(
            _("This invitation was mailed to another address than %(email)s. Sign in with that one.")
            % {"email": user.email}
        )


def token_for(*, team: Team, maker: User | None, form: uuid.UUID, about: object) -> str:
    """256 bits that nobody else can compute; the same form about the same gives the same."""
    words = "/".join((str(team.pk), str(maker.pk if maker else 0), str(form), str(about)))
    digest = salted_hmac(SALT, words, algorithm="sha256").digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def hashed(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def link(token: str) -> str:
    """Where it leads in, under PUBLIC_URL."""
    return f"{settings.PUBLIC_URL}{reverse('people:join', args=[token])}"


def make(
    *,
    team: Team,
    maker: User | None,
    token: str,
    email: str = "",
    role: Role = Role.MEMBER,
    granted: int = 0,
    uses: int = 1,
    lasts: timedelta,
) -> tuple[Invitation, bool]:
    """The invitation of that token, and whether it is new. `granted`: hundredths for each who comes."""
    return Invitation.objects.get_or_create(
        token_hash=hashed(token),
        defaults={
            "team": team,
            "made_by": maker,
            "email": email.lower(),
            "role": role,
            "credits": granted,
            "uses": uses,
            "expires_at": timezone.now() + lasts,
        },
    )


def find(token: str) -> Invitation:
    """The invitation that can still be used; InvitationRefused says why none can."""
    known = Invitation.objects.select_related("team", "made_by")
    invitation = known.filter(token_hash=hashed(token), team__deactivated_at=None).first()
    if invitation is None:
        raise NoSuchInvitation
    must_be_good(invitation)
    return invitation


def must_be_good(invitation: Invitation) -> None:
    """InvitationRefused if it lets nobody in any more."""
    if invitation.revoked_at:
        raise Revoked
    if invitation.used >= invitation.uses:
        raise UsedUp
    if invitation.expires_at <= timezone.now():
        raise Expired


def must_be_for(invitation: Invitation, user: User) -> None:
    """ForSomebodyElse if it was mailed to an address that is not the person's."""
    email = invitation.email
    if email and not EmailAddress.objects.filter(user=user, email__iexact=email, verified=True).exists():
        raise ForSomebodyElse(user)


def use(invitation: Invitation, user: User) -> None:
    """Count one more who comes; InvitationRefused if another was faster, or if the person came by it before.

    Who came by a link and was removed does not come back by the same one.
    """
    must_be_for(invitation, user)
    if InvitationUse.objects.filter(invitation=invitation, membership__user=user).exists():
        raise UsedUp
    usable = Invitation.objects.filter(pk=invitation.pk, revoked_at=None, expires_at__gt=Now())
    if not usable.filter(used__lt=F("uses")).update(used=F("used") + 1):
        invitation.refresh_from_db()
        must_be_good(invitation)
        raise UsedUp


def revoke(invitation: Invitation) -> bool:
    """Let nobody in by it any more; False if nobody could."""
    usable = Invitation.objects.filter(pk=invitation.pk, revoked_at=None, expires_at__gt=Now())
    return usable.filter(used__lt=F("uses")).update(revoked_at=timezone.now()) == 1


def revoke_of(*, maker: User, team: Team, except_for: Collection[Role] = ()) -> list[Invitation]:
    """Take back what the person invited to the team, but not to these roles; those that were open."""
    mine = Invitation.objects.filter(team=team, made_by=maker, revoked_at=None, expires_at__gt=Now())
    no_longer_theirs = mine.exclude(role__in=except_for).filter(used__lt=F("uses")).order_by("pk")
    return [invitation for invitation in no_longer_theirs if revoke(invitation)]
