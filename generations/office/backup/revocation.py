"""End all that lets somebody in without a password: API tokens, share links, invitations and sessions."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from generations.library.models import Share
from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import COMMAND
from generations.office.models import AuditAction
from generations.office.tokens import service as tokens_service
from generations.teams.models import Invitation, Token


@dataclass(frozen=True)
class Revoked:
    """How many of each were ended."""

    tokens: int
    links: int
    invitations: int
    sessions: int


@transaction.atomic
def revoke_all() -> Revoked:
    """End all of them, in every team; tokens and invitations are in the audit log as ended by a command."""
    now = timezone.now()
    tokens = list(Token.objects.filter(revoked_at=None).select_related("membership__team"))
    invitations = list(Invitation.objects.filter(revoked_at=None, expires_at__gt=now).select_related("team"))
    for invitation in invitations:
        audit_log_service.record(
            COMMAND, AuditAction.INVITATION_REVOKED, team=invitation.team, subject=invitation.email
        )
    Invitation.objects.filter(pk__in=[row.pk for row in invitations]).update(revoked_at=now)
    for token in tokens:  # after their invitations, which would be recorded twice
        tokens_service.revoke(token=token)
    links = Share.objects.filter(revoked_at=None).update(revoked_at=now)
    UserSession.objects.all().delete()
    sessions, _by_model = Session.objects.all().delete()
    return Revoked(len(tokens), links, len(invitations), sessions)
