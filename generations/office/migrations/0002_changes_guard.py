from django.db import migrations

from generations.office.audit import GUARD


class Migration(migrations.Migration):
    dependencies = [("office", "0001_initial")]
    operations = [migrations.RunPython(GUARD.put_up, GUARD.take_down)]
