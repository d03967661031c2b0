from django.db import migrations

from generations.credits import guard


class Migration(migrations.Migration):
    dependencies = [("credits", "0001_initial")]
    operations = [migrations.RunPython(guard.put_up, guard.take_down)]
