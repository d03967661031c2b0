from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("upstreams", "0004_names"),
    ]

    operations = [
        migrations.AddField(
            model_name="upstream",
            name="closed_models",
            field=models.JSONField(
                blank=True,
                default=dict,
                editable=False,
                help_text="Models that the account said it does not have: until when they are not asked for,"
                " and why.",
                verbose_name="closed models",
            ),
        ),
    ]
