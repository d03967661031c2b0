"""`{% load credits %}`: format amounts."""

from django import template

from generations.credits import amounts

register = template.Library()


@register.filter("credits")
def as_credits(amount: int | None) -> str:
    """Format hundredths of a credit as credits: 650 is "6.5"; empty for None."""
    return "" if amount is None else amounts.as_text(amount)


@register.filter
def in_credits(amount: int | None) -> str:
    """Format hundredths of a credit with their unit: 650 is "6.5 credits"; empty for None."""
    return "" if amount is None else amounts.in_credits(amount)


@register.filter
def credits_unit(amount: int | None) -> str:
    """Return the unit of hundredths of a credit: "credit" for 100 of them, else "credits"."""
    return amounts.unit_of(amount or 0)


register.filter("credits_field", amounts.as_field)
