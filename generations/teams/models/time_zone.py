"""The field that holds a time zone's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import models
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
