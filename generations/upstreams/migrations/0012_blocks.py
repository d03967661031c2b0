from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("upstreams", "0011_costs_in_cents")]

    operations = [
        migrations.AddField(
            model_name="upstream",
            name="polls_blocked_until",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="polls blocked until"
            ),
        ),
        migrations.AddField(
            model_name="upstream",
            name="systems_blocked",
            field=models.JSONField(
                blank=True,
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                editable=False,
                help_text="Systems of a gateway that asked to wait, and until when.",
                verbose_name="blocked systems",
            ),
        ),
    ]
