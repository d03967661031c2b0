from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def open_outside(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Where credits come from and where they go; first of all accounts, so also first in lock order."""
    account = apps.get_model("credits", "Account")
    for kind in ("issued", "spent"):
        account.objects.get_or_create(kind=kind)


class Migration(migrations.Migration):
    dependencies = [("credits", "0002_ledger_guard")]
    operations = [migrations.RunPython(open_outside, migrations.RunPython.noop)]
