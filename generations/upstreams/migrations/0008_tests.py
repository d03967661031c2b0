from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("upstreams", "0007_results"),
    ]

    operations = [
        migrations.AddField(
            model_name="upstream",
            name="tested_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="tested at"),
        ),
        migrations.AddField(
            model_name="upstream",
            name="test_status",
            field=models.PositiveSmallIntegerField(
                blank=True, editable=False, null=True, verbose_name="status of the test"
            ),
        ),
        migrations.AddField(
            model_name="upstream",
            name="test_problem",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="What the last test found; empty: it answered, or was not tested.",
                max_length=400,
                verbose_name="problem of the test",
            ),
        ),
    ]
