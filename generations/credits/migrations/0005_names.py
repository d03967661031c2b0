from django.conf import settings
from django.db import migrations

from ._ledger_guard import put_up, take_down


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0004_days_summed_up"),
        ("teams", "0004_names"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [migrations.RunPython(put_up, take_down)]
