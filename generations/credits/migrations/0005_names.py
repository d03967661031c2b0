from django.conf import settings
from django.db import migrations

from generations.credits import guard


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0004_days_summed_up"),
        ("teams", "0004_names"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [migrations.RunPython(guard.put_up, guard.take_down)]
