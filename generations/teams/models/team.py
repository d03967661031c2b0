"""Teams. A team is deactivated, never deleted, since ledger entries refer to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Sequence

    CharField = models.CharField[str, str]
else:
    CharField = models.CharField  # it takes no type arguments at run time


def validate_time_zone(value: str) -> None:
    """Raise ValidationError for a name that is not in the time zone database."""
    if value not in available_timezones():
        raise ValidationError(
            _("“%(value)s” is not a time zone; use a name such as Europe/Berlin."), params={"value": value}
        )


class TimeZoneField(CharField):
    """A name from the time zone database, such as Europe/Berlin."""

    default_validators = [validate_time_zone]

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        """Deconstruct as a plain CharField, so that no migration imports this module."""
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.CharField", args, options


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
        _("low pool"),
        default=50_000,
        help_text=_("Administrators of a pool with less get a notice; 0 for never."),
    )

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")

    def __str__(self) -> str:
        return self.name
