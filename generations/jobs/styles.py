"""The styles that a team has made: which of them a field offers, and which account can draw in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from generations.jobs.models import Attempt, Generation, Style
from generations.library.models import Image
from generations.providers.catalogue.fields import Choice, Field
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.registry import InvalidParameters
from generations.teams.models import Membership
from generations.upstreams.models import Upstream

MOST_READ, MOST_OFFERED = 1_000, 200  # of a field, the newest; some are in the trash


def add(image: Image, row: Generation) -> Style:
    """Keep the style that a generation has made: its image, whose text is its id at the account."""
    call = Attempt.objects.only("upstream_id").get(generation=row.pk, number=row.attempt)
    return Style.objects.create(
        image=image,
        team_id=image.team_id,
        upstream_id=call.upstream_id,
        made_with=row.model,
        remote_id=image.text[:100],
    )


def visible(member: Membership, **which: Any) -> list[Style]:
    """Return the team's styles that the member may see, newest first; `which` are conditions of a query.

    In two queries: a team has few styles, and may have a million images.
    """
    rows = Style.objects.filter(team=member.team_id, **which).select_related("image", "upstream")
    found = list(rows.order_by("-pk")[:MOST_READ])
    shown = Image.objects.visible_to(member).filter(pk__in=[row.pk for row in found])
    seen = set(shown.values_list("pk", flat=True)) if found else set()
    return [row for row in found if row.pk in seen]


def offered(rows: Sequence[Style], field: Field, model: Model) -> dict[str, str]:
    """Return those of the styles that a field of the model offers: title by value.

    Their account must be in use and serve the model.
    """
    if not isinstance(field, Choice):
        return {}
    fitting = [row for row in rows if row.made_with in field.made_with and _draws(row, model)]
    return {row.remote_id: str(row) for row in fitting[:MOST_OFFERED]}


def offered_by(member: Membership, model: Model) -> dict[str, dict[str, str]]:
    """Return what the fields of the model offer to the member, by field; no query if none offers styles."""
    rows = visible(member) if model.style_fields else []
    return {field.name: offered(rows, field, model) for field in model.style_fields}


def titles(member: Membership, model: Model | None, parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return what the styles are called that the parameters name, by value, of those the member may see."""
    named = list(model.made_styles(parameters).values()) if model else []
    return {row.remote_id: str(row) for row in visible(member, remote_id__in=named)} if named else {}


def account_of(member: Membership, model: Model, parameters: Mapping[str, Any]) -> Upstream | None:
    """Return the account that made the style which validated parameters name; None if they name none.

    InvalidParameters if the member may not see such a style, or if its account does not serve the model.
    """
    named = model.made_styles(parameters)
    for field in model.style_fields:
        if field.name not in named:
            continue
        rows = visible(member, made_with__in=field.made_with, remote_id=named[field.name])
        if not rows:
            raise InvalidParameters({field.name: _("Your team has no such style. Choose another one.")})
        usable = [row for row in rows if _draws(row, model)]
        if not usable:
            text = _("The provider account that made this style, which alone can draw in it, is not in use.")
            raise InvalidParameters({field.name: text})
        return usable[0].upstream
    return None


def _draws(row: Style, model: Model) -> bool:
    """Whether the account of the style is in use and serves the model."""
    return row.upstream.enabled and row.upstream.serves(model.name)
