from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0012_costs_in_cents")]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="to_fetch",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Its results are only fetched from their addresses, which asks nothing of the account.",
                verbose_name="to be fetched",
            ),
        ),
    ]
