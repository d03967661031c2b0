from django.db import migrations

from ._ledger_guard import put_up, take_down


class Migration(migrations.Migration):
    dependencies = [("credits", "0001_initial")]
    operations = [migrations.RunPython(put_up, take_down)]
