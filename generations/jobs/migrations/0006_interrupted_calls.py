from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0005_virtual_time"),
    ]

    operations = [
        migrations.AddField(
            model_name="generation",
            name="interrupted_calls",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="Calls whose worker was killed or hung; they may have been charged.",
                verbose_name="interrupted calls",
            ),
        ),
    ]
