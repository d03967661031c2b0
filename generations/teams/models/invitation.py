"""Invitations to a team, and who accepted them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.teams.models.api_token import Token
from generations.teams.models.membership import Membership, Role
from generations.teams.models.team import Team
from generations.teams.models.user import User


class Invitation(models.Model):
    """An invitation link to a team.

    Only the hash of its token is stored: the link is shown once, or mailed.
    """

    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="invitations")
    token_hash = models.CharField(
        _("token hash"), max_length=64, unique=True, editable=False, help_text=_("SHA-256, hex")
    )
    email = models.EmailField(
        _("email"),
        max_length=254,
        blank=True,
        help_text=_("The address that it was mailed to; nobody else can accept it."),
    )
    role = models.CharField(_("role"), max_length=16, choices=Role, default=Role.MEMBER)
    credits = models.PositiveBigIntegerField(
        _("credits"),
        default=0,
        help_text=_("Granted from the team credits to each person who joins; hundredths of a credit"),
    )
    uses = models.PositiveIntegerField(_("uses"), default=1, help_text=_("How many people may join with it."))
    used = models.PositiveIntegerField(_("used"), default=0, editable=False)
    made_by = models.ForeignKey(User, models.PROTECT, verbose_name=_("made by"), related_name="+", null=True)
    token = models.ForeignKey(
        Token,
        models.PROTECT,
        verbose_name=_("API token"),
        related_name="invitations",
        null=True,
        editable=False,
        help_text=_("The token that asked for it by the API, and with which it ends; empty: a page."),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.CheckConstraint(
                condition=Q(used__lte=models.F("uses")), name="an_invitation_is_used_no_more_than_it_may"
            ),
        ]
        indexes = [models.Index(fields=["team", "-created_at"], name="invitations_of_a_team")]


class InvitationUse(models.Model):
    """One acceptance of an invitation."""

    invitation = models.ForeignKey(
        Invitation, models.PROTECT, verbose_name=_("invitation"), related_name="people"
    )
    membership = models.ForeignKey(
        Membership, models.PROTECT, verbose_name=_("membership"), related_name="invitations"
    )
    granted = models.PositiveBigIntegerField(
        _("granted"),
        default=0,
        help_text=_("Less than offered if the team credits were too few; hundredths of a credit"),
    )
    used_at = models.DateTimeField(_("used at"), default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["invitation", "membership"], name="a_person_uses_an_invitation_once"
            ),
        ]
