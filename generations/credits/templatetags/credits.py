"""`{% load credits %}`: amounts as a person reads them."""

from django import template

from generations.credits.amounts import as_text

register = template.Library()


@register.filter("credits")
def as_credits(amount: int | None) -> str:
    """Hundredths of a credit as credits: 650 is "6.5"; nothing for nothing."""
    return "" if amount is None else as_text(amount)
