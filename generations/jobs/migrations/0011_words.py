import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0010_inputs_by_image"),
        ("upstreams", "0009_words"),
    ]

    operations = [
        migrations.AlterField(
            model_name="attempt",
            name="upstream",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="attempts",
                to="upstreams.upstream",
                verbose_name="provider account",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="upstream",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="generations",
                to="upstreams.upstream",
                verbose_name="provider account",
            ),
        ),
    ]
