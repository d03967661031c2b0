"""The units that accounts count their costs in: how amounts are shown and entered.

Every amount is kept in whole hundredths of a US cent, which is what a hundredth of a credit is.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from django.utils.formats import number_format

from generations.providers.catalogue import registry as catalogue_registry

CREDIT, DOLLAR = "credit", "USD"
VALUES = {CREDIT: 100, DOLLAR: 10_000}  # hundredths of a US cent
MAX_DECIMALS = 4


def known(kind: str) -> dict[str, int]:
    """Return the units of an account of this kind whose worth is known, the usual one first."""
    if kind in catalogue_registry.DECLARED:
        declared = catalogue_registry.system(kind)
        return {declared.unit: declared.unit_value} | VALUES
    return {DOLLAR: VALUES[DOLLAR]} | VALUES


def amount_in(hundredths: int, value: int) -> Decimal:
    """Return an amount in units that are worth `value` hundredths of a cent, to four decimals."""
    return (Decimal(hundredths) / value).quantize(Decimal(1).scaleb(-MAX_DECIMALS), ROUND_HALF_UP)


def hundredths_of(amount: Decimal, value: int) -> int:
    """Return the whole hundredths of a cent that are nearest to an amount in such units."""
    return int((amount * value).to_integral_value(ROUND_HALF_UP))


def as_text(hundredths: int, value: int = VALUES[CREDIT]) -> str:
    """Format an amount in such units, with as many decimals as it has: "0.0375", "1,000"."""
    exact = amount_in(hundredths, value)
    decimals = next(places for places in range(MAX_DECIMALS + 1) if exact == round(exact, places))
    return number_format(exact, decimal_pos=decimals, use_l10n=True, force_grouping=True)


def as_field(hundredths: int, value: int) -> str:
    """Return an amount in such units as the text of a form field, the same in every language."""
    exact = amount_in(hundredths, value).normalize()
    return f"{exact:f}"
