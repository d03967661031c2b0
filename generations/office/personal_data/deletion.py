"""Delete an account: the person leaves every team, and personal data is erased; the ledger keeps its numbers.

The row of the user stays, deactivated and without a name, since ledger entries refer to it. Pictures that a
team sees stay in its library; private ones are deleted for good, and so is everything that was asked for.
"""

from __future__ import annotations

from collections.abc import Collection

from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generations.jobs import erasure
from generations.jobs.models import Generation
from generations.library.maintenance import erase_member as library_erasure
from generations.office.audit_log import personal_data as audit_log_personal_data
from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import Actor
from generations.office.members import service as members_service
from generations.office.models import AuditAction, CreditRequest, CreditRequestMail, NoticeReader
from generations.teams.models import Invitation, Membership, Token, User
from generations.teams.sessions import service as sessions_service


class StillDrawing(Exception):
    """Pictures of the person have been started; they end within minutes."""

    def __init__(self, count: int) -> None:
        text = ngettext(
            "%(count)s of your pictures is being drawn. Try again when it is done.",
            "%(count)s of your pictures are being drawn. Try again when they are done.",
            count,
        )
        super().__init__(text % {"count": count})


class LastOperator(Exception):
    """Nobody would be left who runs the installation."""

    def __init__(self) -> None:
        super().__init__(_("You are the only operator of this portal. Make somebody else one first."))


@transaction.atomic
def delete_account(user: User) -> None:
    """Delete the user's account at once and for ever.

    Raises LastOperator, StillDrawing, and membership.LastOwner if a team would have no owner; then nothing
    has changed.
    """
    _check_not_last_operator(user)
    by = Actor(user)
    for member in user.memberships.filter(ended_at=None).select_related("team", "user").order_by("team"):
        members_service.leave(member=member, by=by)
    memberships = list(user.memberships.select_related("team").order_by("pk"))
    if count := Generation.objects.filter(member__in=memberships).unfinished().count():
        raise StillDrawing(count)
    for member in memberships:
        library_erasure.erase_member(member)
        erasure.erase_member(member)
        member.idempotent_calls.all().delete()  # of the room above; their answers repeat prompts
    audit_log_service.record(by, AuditAction.PERSON_CHANGED, after={"did": "deleted"})
    sessions_service.end_others(user, this=None)
    _erase_person(user, memberships)


def _check_not_last_operator(user: User) -> None:
    """Raise LastOperator. The rows of all operators are locked, so that of two who go one stays."""
    operators = User.objects.filter(is_staff=True, is_active=True).select_for_update(no_key=True)
    if {operator.pk for operator in operators.order_by("pk")} == {user.pk}:
        raise LastOperator


def _erase_person(user: User, memberships: Collection[Membership]) -> None:
    addresses = EmailAddress.objects.filter(user=user)
    emails = {user.email, *addresses.values_list("email", flat=True)}
    addresses.delete()
    audit_log_personal_data.erase_person(user, emails)
    _erase_invitations(emails)
    Token.objects.filter(membership__in=memberships).update(name=_("Deleted"))
    Membership.objects.filter(pk__in=[member.pk for member in memberships]).update(seen_at=None)
    NoticeReader.objects.filter(user=user).update(mail_due_at=None)
    CreditRequestMail.objects.filter(user=user).update(mail_due_at=None)
    CreditRequest.objects.filter(member__in=memberships).exclude(note="").update(note="")
    user.email = f"deleted-{user.pk}@deleted.invalid"
    user.name = _("Deleted person %(number)s") % {"number": user.pk}
    user.is_active = user.is_staff = user.is_superuser = False
    user.preferences, user.last_login = {}, None
    user.time_zone = user.language = ""
    user.set_unusable_password()
    user.save()
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.filter(content_type=kind, object_id=str(user.pk)).update(object_repr=user.name)


def _erase_invitations(emails: Collection[str]) -> None:
    """Remove the addresses from invitations; open ones are revoked, or anybody could accept them."""
    mailed = Invitation.objects.filter(email__in=emails)
    mailed.filter(revoked_at=None, used__lt=F("uses")).update(revoked_at=Now())
    mailed.update(email="")
