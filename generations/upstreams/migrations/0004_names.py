import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("upstreams", "0003_upstream_low_balance"),
    ]

    operations = [
        migrations.AlterField(
            model_name="balance",
            name="amount",
            field=models.DecimalField(decimal_places=4, max_digits=14, verbose_name="amount"),
        ),
        migrations.AlterField(
            model_name="balance",
            name="asked_at",
            field=models.DateTimeField(default=django.utils.timezone.now, verbose_name="asked at"),
        ),
        migrations.AlterField(
            model_name="balance",
            name="upstream",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="balances",
                to="upstreams.upstream",
                verbose_name="upstream",
            ),
        ),
        migrations.AlterField(
            model_name="upstream",
            name="balance",
            field=models.DecimalField(
                blank=True, decimal_places=4, editable=False, max_digits=14, null=True, verbose_name="balance"
            ),
        ),
        migrations.AlterField(
            model_name="upstream",
            name="balance_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="balance at"),
        ),
        migrations.AlterField(
            model_name="upstream",
            name="blocked_until",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="blocked until"),
        ),
        migrations.AlterField(
            model_name="upstream",
            name="created_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, editable=False, verbose_name="created at"
            ),
        ),
        migrations.AlterField(
            model_name="upstream",
            name="encrypted_key",
            field=models.TextField(blank=True, editable=False, verbose_name="encrypted key"),
        ),
        migrations.AlterField(
            model_name="upstream",
            name="from_environment",
            field=models.BooleanField(default=False, editable=False, verbose_name="from environment"),
        ),
        migrations.AlterField(
            model_name="upstream",
            name="paused_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="paused at"),
        ),
        migrations.AlterField(
            model_name="upstream",
            name="paused_reason",
            field=models.CharField(blank=True, editable=False, max_length=400, verbose_name="paused reason"),
        ),
        migrations.AlterField(
            model_name="upstream",
            name="paused_status",
            field=models.PositiveSmallIntegerField(
                blank=True, editable=False, null=True, verbose_name="paused status"
            ),
        ),
    ]
