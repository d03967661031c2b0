"""`{% load credits %}`: format amounts."""

from django import template

from generations.credits.amounts import as_text

register = template.Library()


@register.filter("credits")
def as_credits(amount: int | None) -> str:
    """Format hundredths of a credit as credits: 650 is "6.5"; empty for None."""
    return "" if amount is None else as_text(amount)
