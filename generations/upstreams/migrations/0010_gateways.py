from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("upstreams", "0009_words"),
    ]

    operations = [
        migrations.AddField(
            model_name="upstream",
            name="systems",
            field=models.JSONField(
                blank=True,
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                help_text='Systems of a gateway with prefix and dialect, such as {"bfl": {"prefix": "/flux"}}; of another account the dialect of its own.',
                verbose_name="systems",
            ),
        ),
        migrations.AddField(
            model_name="upstream",
            name="unit_value",
            field=models.PositiveIntegerField(
                db_default=100,
                default=100,
                help_text="In hundredths of a US cent: 100 for a credit of Stability, 10000 for a dollar.",
                verbose_name="value of the unit",
            ),
        ),
        migrations.AddField(
            model_name="upstream",
            name="wire_names",
            field=models.JSONField(
                blank=True,
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                help_text="What the account calls models that it does not call as the catalogue does.",
                verbose_name="names of models here",
            ),
        ),
        migrations.AlterField(
            model_name="upstream",
            name="costs",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="What a call costs here, in hundredths of a US cent, where it differs from the catalogue.",
                verbose_name="costs",
            ),
        ),
        migrations.AddConstraint(
            model_name="upstream",
            constraint=models.CheckConstraint(
                condition=models.Q(("unit_value__gt", 0)), name="a_unit_is_worth_something"
            ),
        ),
    ]
