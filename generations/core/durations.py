"""Durations as people read them, by one rule; `duration` in static/js/page.js is its twin."""

from __future__ import annotations

import math

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600
DASH = "–"  # noqa: RUF001  the dash that stands for nothing in tables


def duration(seconds: float | None, decimals: int = 0) -> str:
    """Return "8 s", "3 min", "2 h" or "4 days": the largest unit of which there are at least one and a half.

    `decimals` is for measured times, and for seconds alone: "14.1 s". A dash for None.
    """
    if seconds is None:
        return DASH
    if seconds < 1.5 * MINUTE:
        exact = round(seconds, decimals) if decimals else _nearest(seconds)
        return _("%(n)s s") % {"n": number_format(exact, decimals)}
    if seconds < 1.5 * HOUR:
        return _("%(n)s min") % {"n": _nearest(seconds / MINUTE)}
    if seconds < 2 * DAY:
        return _("%(n)s h") % {"n": _nearest(seconds / HOUR)}
    days = _nearest(seconds / DAY)
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": number_format(days, force_grouping=True)}


def _nearest(number: float) -> int:
    """Round halves up, as scripts do."""
    return math.floor(number + 0.5)
