import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("upstreams", "0008_tests"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="upstream",
            options={
                "ordering": ["order", "pk"],
                "verbose_name": "provider account",
                "verbose_name_plural": "provider accounts",
            },
        ),
        migrations.AlterField(
            model_name="balance",
            name="upstream",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="balances",
                to="upstreams.upstream",
                verbose_name="provider account",
            ),
        ),
        migrations.AlterField(
            model_name="upstream",
            name="pace_account",
            field=models.CharField(
                blank=True,
                help_text="Accounts with the same text share one rate limit; empty: a limit of its own.",
                max_length=80,
                verbose_name="pace shared with",
            ),
        ),
    ]
