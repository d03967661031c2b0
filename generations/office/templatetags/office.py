"""`{% load office %}`: amounts in columns."""

from __future__ import annotations

from django import template
from django.utils.formats import number_format

from generations.credits.amounts import as_text

register = template.Library()

NOTHING = "–"  # noqa: RUF001  the dash that stands for nothing in tables


@register.filter
def fixed(amount: int | None) -> str:
    """Hundredths of a credit with both places, so that columns stand under each other: 650 is "6.50"."""
    if amount is None:
        return NOTHING
    sign = "−" if amount < 0 else ""  # noqa: RUF001  the minus that is as wide as a digit
    return sign + number_format(abs(amount) / 100, 2, use_l10n=True, force_grouping=True)


@register.filter
def fixed_or_dash(amount: int | None) -> str:
    """As `fixed`, and a dash for none at all."""
    return fixed(amount or None)


@register.filter
def credits_short(amount: int) -> str:
    """A round number of credits for a scale: 2,500 as it is, 12,500 as 12.5k."""
    whole = amount / 100
    return number_format(whole / 1000, 1) + "k" if abs(whole) >= 10_000 else as_text(amount)
