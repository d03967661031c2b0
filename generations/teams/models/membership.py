"""Memberships of persons and programs in teams, and their roles."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.teams.models.team import Team
from generations.teams.models.user import User, Visibility


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    ADMINISTRATOR = "administrator", _("Administrator")
    MEMBER = "member", _("Member")
    VIEWER = "viewer", _("Viewer")


class Kind(models.TextChoices):
    PERSON = "person", _("Person")
    PROGRAM = "program", _("Program")


class Membership(models.Model):
    """The membership of one person or program in a team: it has the role, the wallet and the images."""

    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="memberships")
    user = models.ForeignKey(
        User, models.PROTECT, verbose_name=_("user"), related_name="memberships", null=True, blank=True
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.PERSON)
    name = models.CharField(
        _("name"), max_length=120, blank=True, help_text=_("Name of a program; empty for a person.")
    )
    role = models.CharField(_("role"), max_length=16, choices=Role, default=Role.MEMBER)
    weight = models.PositiveSmallIntegerField(
        _("weight"), default=1, help_text=_("Share of the queue, relative to other members.")
    )
    cap_per_day = models.PositiveBigIntegerField(
        _("cap per day"), null=True, blank=True, help_text=_("hundredths of a credit")
    )
    cap_per_month = models.PositiveBigIntegerField(
        _("cap per month"), null=True, blank=True, help_text=_("hundredths of a credit")
    )
    joined_at = models.DateTimeField(_("joined at"), default=timezone.now, editable=False)
    seen_at = models.DateTimeField(_("seen at"), null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(fields=["team", "user"], name="a_person_is_in_a_team_once"),
            models.CheckConstraint(condition=Q(weight__gt=0), name="a_member_has_some_weight"),
            models.CheckConstraint(
                condition=Q(kind="program") | Q(user__isnull=False), name="a_person_has_an_account"
            ),
            models.CheckConstraint(
                condition=Q(kind="person") | (Q(user__isnull=True) & ~Q(name="")),
                name="a_program_has_a_name_and_no_account",
            ),
            models.UniqueConstraint(
                Lower("name"),
                "team",
                condition=Q(kind="program", ended_at=None),
                name="no_two_programs_of_a_team_have_one_name",
            ),
        ]

    def __str__(self) -> str:
        return self.name or str(self.user)

    @property
    def is_current(self) -> bool:
        """Whether the membership has not ended, and its team and user are active."""
        active = self.user is None or self.user.is_active
        return self.ended_at is None and self.team.deactivated_at is None and active

    @property
    def tzinfo(self) -> ZoneInfo:
        """The time zone of the times on the person's pages: their own, or the team's."""
        return ZoneInfo((self.user.time_zone if self.user else "") or self.team.time_zone)

    @property
    def default_visibility(self) -> str:
        """The visibility of new images: as the person chose, and the team's for a program."""
        return self.user.default_visibility if self.user else Visibility.TEAM
