"""Teams. A team is deactivated, never deleted, since ledger entries refer to it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.teams.models.time_zone import TimeZoneField


class Team(models.Model):
    """A team: members who share a pool of credits and a library."""

    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(_("address"), max_length=60, unique=True)
    time_zone = TimeZoneField(_("time zone"), max_length=64, default="UTC")
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    deactivated_at = models.DateTimeField(_("deactivated at"), null=True, blank=True)
    founding = models.UUIDField(
        _("founding"),
        null=True,
        unique=True,
        editable=False,
        help_text=_("Id of the form that created it, if any."),
    )
    low_wallet = models.PositiveBigIntegerField(
        _("low wallet"),
        default=2_000,
        help_text=_("A member with less gets a notice; hundredths of a credit, 0 for never."),
    )
    low_pool = models.PositiveBigIntegerField(
        _("low team credits"),
        default=50_000,
        help_text=_("Administrators get a notice when the team has less; 0 for never."),
    )

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")

    def __str__(self) -> str:
        return self.name
