"""Credits as people write them, and as the database keeps them: whole hundredths."""

from decimal import ROUND_UP, Decimal
from typing import Any

from django import forms
from django.utils.formats import number_format

HUNDREDTHS = 100
MOST = 1_000_000_000_000  # hundredths in one form: far more than anyone has, and it fits the database


def as_text(amount: int) -> str:
    """Hundredths as a person reads them: 650 is "6.5", 100000 is "1,000"."""
    exact = Decimal(amount) / HUNDREDTHS
    decimals = next(places for places in (0, 1, 2) if exact == round(exact, places))
    return number_format(exact, decimal_pos=decimals, use_l10n=True, force_grouping=True)


def from_credits(value: Decimal) -> int:
    """Credits as hundredths, rounded up: 0.9 is 90."""
    return int((value * HUNDREDTHS).to_integral_value(rounding=ROUND_UP))


class CreditsField(forms.DecimalField):
    """A positive number of credits with at most two decimals; its clean value is in hundredths.

    With `may_be_nothing` 0 is one too, as for a cap that lets nothing be spent.
    """

    def __init__(self, *, may_be_nothing: bool = False, **options: Any) -> None:
        least, most = Decimal("0" if may_be_nothing else "0.01"), Decimal(MOST) / HUNDREDTHS
        super().__init__(min_value=least, max_value=most, decimal_places=2, **options)

    def clean(self, value: Any) -> Any:
        """The amount in hundredths; None if the field is empty and may be."""
        number = super().clean(value)
        return None if number is None else from_credits(number)
