"""The part of an account's form about the prompt helper: a chat model, its price, cap and cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from generations.providers.registry import TEXT_KINDS, WIRE_NAME
from generations.upstreams import units
from generations.upstreams.models import Upstream

CREDIT = 100  # hundredths
MOST = Decimal(10_000)
FORM_FIELDS = {  # by those of the row, which keep amounts in hundredths
    "helper_model": "helper_model",
    "helper_price": "helper_credits",
    "helper_cap": "helper_cap_credits",
    "helper_cost": "helper_unit_cost",
}
FIELDS = tuple(FORM_FIELDS)


def fields_of(upstream: Upstream) -> dict[str, forms.Field]:
    """The fields for an account, filled in as it is stored; {} for a kind that has no chat models."""
    if upstream.kind not in TEXT_KINDS:
        return {}
    cap, cost = upstream.helper_cap, upstream.helper_cost
    return {
        "helper_model": forms.RegexField(
            WIRE_NAME,
            label=gettext_lazy("Chat model"),
            required=False,
            max_length=100,
            initial=upstream.helper_model,
        ),
        "helper_credits": forms.DecimalField(
            label=gettext_lazy("Price in credits"),
            required=False,
            min_value=Decimal("0.01"),
            max_value=MOST,
            decimal_places=2,
            initial=units.as_field(upstream.helper_price, CREDIT),
        ),
        "helper_cap_credits": forms.DecimalField(
            label=gettext_lazy("Daily cap in credits"),
            required=False,
            min_value=0,
            max_value=MOST,
            decimal_places=2,
            initial=None if cap is None else units.as_field(cap, CREDIT),
        ),
        "helper_unit_cost": forms.DecimalField(
            label=gettext_lazy("Cost of an answer"),
            required=False,
            min_value=0,
            max_value=MOST,
            decimal_places=4,
            initial=units.as_field(cost, upstream.unit_value) if cost else None,
        ),
    }


def apply(upstream: Upstream, cleaned: dict[str, Any]) -> None:
    """Write what the valid form says on the row, which is not saved. An empty price stays as it is."""
    if "helper_model" not in cleaned:
        return
    upstream.helper_model = cleaned["helper_model"]
    if (price := cleaned["helper_credits"]) is not None:
        upstream.helper_price = int(price * CREDIT)
    cap = cleaned["helper_cap_credits"]
    upstream.helper_cap = None if cap is None else int(cap * CREDIT)
    upstream.helper_cost = units.hundredths_of(cleaned["helper_unit_cost"] or Decimal(), upstream.unit_value)
