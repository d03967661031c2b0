"""What calls cost was in hundredths of an account's own unit, and is in hundredths of a US cent.

Only dollars change: see the accounts' migration of this name.
"""

from typing import Any

from django.db import migrations
from django.db.models import F

NAMES = ("usd", "us$", "$", "dollar", "dollars", "us dollar", "us dollars")


def to_cents(apps: Any, _schema_editor: object) -> None:
    attempts = apps.get_model("jobs", "Attempt").objects
    units = list(attempts.order_by().values_list("unit", flat=True).distinct())
    for unit in units:
        if unit.strip().lower() in NAMES:
            attempts.filter(unit=unit).update(unit="USD", cost=F("cost") * 100)


def to_hundredths(apps: Any, _schema_editor: object) -> None:
    apps.get_model("jobs", "Attempt").objects.filter(unit="USD").update(cost=F("cost") / 100)


class Migration(migrations.Migration):
    dependencies = [("jobs", "0011_words"), ("upstreams", "0011_costs_in_cents")]

    operations = [migrations.RunPython(to_cents, to_hundredths)]
