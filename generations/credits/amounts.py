"""Conversion between credits as people write them and whole hundredths, as the database stores them."""

from decimal import ROUND_UP, Decimal
from typing import Any

from django import forms
from django.utils.formats import number_format
from django.utils.translation import ngettext

HUNDREDTHS = 100
MAX_AMOUNT = 1_000_000_000_000  # hundredths in one form: far more than anyone has; fits BIGINT


def as_text(amount: int) -> str:
    """Format hundredths as localised credits: 650 is "6.5", 100000 is "1,000"."""
    exact = Decimal(amount) / HUNDREDTHS
    decimals = next(places for places in (0, 1, 2) if exact == round(exact, places))
    return number_format(exact, decimal_pos=decimals, use_l10n=True, force_grouping=True)


def in_credits(amount: int) -> str:
    """Format hundredths with their unit: "1 credit", "12 credits", "0.25 credits"; twin of `inCredits`."""
    return ngettext("%(amount)s credit", "%(amount)s credits", _plural_number(amount)) % {
        "amount": as_text(amount)
    }


def unit_of(amount: int) -> str:
    """Return the unit alone, for a number set apart from it: "credit" for 100 hundredths, else "credits"."""
    return ngettext("credit", "credits", _plural_number(amount))


def _plural_number(amount: int) -> int:
    """Return the whole number by which an amount takes its plural; fractions take that of 2."""
    whole, fraction = divmod(abs(amount), HUNDREDTHS)
    return 2 if fraction else whole


def as_field(amount: int | None) -> str:
    """Return an amount in hundredths as the text of a form field, the same in every language; "" for None."""
    if amount is None:
        return ""
    whole, rest = divmod(amount, HUNDREDTHS)
    return f"{whole}.{rest:02}" if rest else str(whole)


def from_credits(value: Decimal) -> int:
    """Convert credits to hundredths, rounded up: 0.9 is 90."""
    return int((value * HUNDREDTHS).to_integral_value(rounding=ROUND_UP))


class CreditsField(forms.DecimalField):
    """A positive number of credits with at most two decimals; the cleaned value is in hundredths.

    `allow_zero` is for caps: a cap of 0 allows no spending.
    """

    def __init__(self, *, allow_zero: bool = False, **options: Any) -> None:
        minimum, maximum = Decimal("0" if allow_zero else "0.01"), Decimal(MAX_AMOUNT) / HUNDREDTHS
        super().__init__(min_value=minimum, max_value=maximum, decimal_places=2, **options)

    def clean(self, value: Any) -> Any:
        """Return the amount in hundredths, or None for an empty optional field."""
        number = super().clean(value)
        return None if number is None else from_credits(number)
