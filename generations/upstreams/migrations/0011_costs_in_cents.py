"""Costs were hundredths of an account's own unit, and are hundredths of a US cent, which is a credit's worth.

Of dollars both the unit's name and the amounts change. A unit that only its operator knows keeps its numbers,
and counts like a credit until its worth is set.
"""

from typing import Any

from django.db import migrations

DOLLAR = 10_000
NAMES = ("usd", "us$", "$", "dollar", "dollars", "us dollar", "us dollars")


def to_cents(apps: Any, _schema_editor: object) -> None:
    for upstream in apps.get_model("upstreams", "Upstream").objects.exclude(unit="credit"):
        if upstream.unit.strip().lower() in NAMES:
            upstream.unit, upstream.unit_value = "USD", DOLLAR
            upstream.costs = {model: cost * 100 for model, cost in upstream.costs.items()}
            upstream.save(update_fields=["unit", "unit_value", "costs"])


def to_hundredths(apps: Any, _schema_editor: object) -> None:
    for upstream in apps.get_model("upstreams", "Upstream").objects.filter(unit_value=DOLLAR):
        upstream.costs = {model: -(-cost // 100) for model, cost in upstream.costs.items()}
        upstream.save(update_fields=["costs"])


class Migration(migrations.Migration):
    dependencies = [("upstreams", "0010_gateways")]

    operations = [migrations.RunPython(to_cents, to_hundredths)]
