"""`{% load office %}`: amounts of credits for table columns and chart axes."""

from __future__ import annotations

from django import template
from django.utils.formats import number_format

from generations.core.durations import DASH
from generations.credits.amounts import as_text

register = template.Library()


@register.filter
def fixed(amount: int | None) -> str:
    """Format hundredths of a credit with two decimals, so that columns align: 650 is "6.50"."""
    if amount is None:
        return DASH
    sign = "−" if amount < 0 else ""  # noqa: RUF001  the minus that is as wide as a digit
    return sign + number_format(abs(amount) / 100, 2, use_l10n=True, force_grouping=True)


@register.filter
def fixed_or_dash(amount: int | None) -> str:
    """Format as `fixed` does; 0 is a dash."""
    return fixed(amount or None)


@register.filter
def credits_short(amount: int) -> str:
    """Format an amount for a chart axis: 2,500 credits as 2,500, and 12,500 as 12.5k."""
    whole = amount / 100
    return number_format(whole / 1000, 1) + "k" if abs(whole) >= 10_000 else as_text(amount)
