"""Filters of the queue page for costs and outcomes."""

from __future__ import annotations

from django import template
from django.utils.formats import number_format

from generations.jobs.models import Outcome

register = template.Library()

TAG_CLASSES = {
    Outcome.OK: "tag tag-ok",
    Outcome.ACCEPTED: "tag tag-ok",
    Outcome.BUSY: "tag tag-warn",
    Outcome.UNAVAILABLE: "tag tag-warn",
    Outcome.REFUSED: "tag tag-bad",
    Outcome.FILTERED: "tag tag-bad",
}


@register.filter
def cost(hundredths: int | None) -> str:
    """A provider's cost with two decimals; a dash if unknown."""
    return "–" if hundredths is None else number_format(hundredths / 100, 2, force_grouping=True)  # noqa: RUF001  as above


@register.filter
def outcome_title(outcome: str) -> str:
    """The title of an outcome."""
    return str(Outcome(outcome).label)


@register.filter
def outcome_class(outcome: str) -> str:
    """The CSS classes of an outcome's tag."""
    return TAG_CLASSES.get(Outcome(outcome), "tag")
