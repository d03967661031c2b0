from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("upstreams", "0006_proxy"),
    ]

    operations = [
        migrations.AddField(
            model_name="upstream",
            name="max_in_flight",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Calls and tasks that it takes at the same time; empty: any number.",
                null=True,
                verbose_name="at the same time",
            ),
        ),
        migrations.AddField(
            model_name="upstream",
            name="private_results",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Fetch results from addresses of private networks too, and without https.",
                verbose_name="results in private networks",
            ),
        ),
        migrations.AddField(
            model_name="upstream",
            name="result_hosts",
            field=models.JSONField(
                blank=True,
                db_default=models.Value([], models.JSONField()),
                default=list,
                help_text="Hosts from which results are fetched that it gives by address, such as *.example.com; empty: those of its system.",
                verbose_name="hosts of results",
            ),
        ),
    ]
