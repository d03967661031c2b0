"""Filters of the queue page for durations, costs and outcomes."""

from __future__ import annotations

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

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
def duration(seconds: float | None) -> str:
    """118 seconds as "1 min 58 s"; hours without seconds; a dash for none."""
    if seconds is None:
        return "–"  # noqa: RUF001  the dash that stands for nothing in tables
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return _("%(s)d s") % {"s": rest}
    if minutes < 60:
        return _("%(m)d min %(s)d s") % {"m": minutes, "s": rest}
    return _("%(h)d h %(m)d min") % {"h": minutes // 60, "m": minutes % 60}


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
