"""Save a person's profile."""

from __future__ import annotations

from django.db import transaction

from generations.jobs.create.context import set_default_visibility
from generations.jobs.create.served import DEFAULTS_KEY
from generations.teams.models import User, Visibility


@transaction.atomic
def save(
    user: User,
    *,
    name: str,
    language: str,
    time_zone: str,
    model: str,
    count: int | None,
    visibility: str,
    density: str,
    shortcuts: bool,
) -> None:
    """Save all of the profile; an empty text and None stand for no choice of their own.

    The row is locked, since Create and the notices keep their choices in the same preferences.
    """
    row = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    row.name, row.language, row.time_zone = name, language, time_zone
    defaults = {"model": model, "count": count}
    row.preferences[DEFAULTS_KEY] = {key: value for key, value in defaults.items() if value}
    row.preferences["display"] = {"density": density, "shortcuts": shortcuts}
    row.save(update_fields=["name", "language", "time_zone", "preferences"])
    if visibility != row.default_visibility:
        set_default_visibility(row, Visibility(visibility))


@transaction.atomic
def set_shortcuts(user: User, *, on: bool) -> None:
    """Switch keys of one character on or off, on all of the person's pages; the rest stays."""
    row = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    row.preferences["display"] = row.display | {"shortcuts": on}
    row.save(update_fields=["preferences"])
