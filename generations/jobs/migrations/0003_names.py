import django.db.models.deletion
import django.utils.timezone
import uuid6
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0002_modelrule"),
        ("library", "0002_names"),
        ("teams", "0004_names"),
        ("upstreams", "0004_names"),
    ]

    operations = [
        migrations.AlterField(
            model_name="attempt",
            name="code",
            field=models.CharField(blank=True, max_length=60, verbose_name="code"),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="cost",
            field=models.BigIntegerField(
                blank=True, help_text="hundredths; empty: not known", null=True, verbose_name="cost"
            ),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="ended_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="ended at"),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="generation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="attempts",
                to="jobs.generation",
                verbose_name="generation",
            ),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="number",
            field=models.PositiveIntegerField(verbose_name="number"),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("ok", "drawn"),
                    ("filtered", "filtered"),
                    ("refused", "refused"),
                    ("unavailable", "unavailable"),
                    ("busy", "busy"),
                    ("unknown", "unknown"),
                ],
                help_text="Empty while it runs.",
                max_length=12,
                verbose_name="outcome",
            ),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="reason",
            field=models.CharField(blank=True, max_length=400, verbose_name="reason"),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="remote_id",
            field=models.CharField(blank=True, max_length=128, verbose_name="remote id"),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="request_id",
            field=models.CharField(blank=True, max_length=128, verbose_name="request id"),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="seed",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="seed"),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="started_at",
            field=models.DateTimeField(default=django.utils.timezone.now, verbose_name="started at"),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="status_code",
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="status code"),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="unit",
            field=models.CharField(default="credit", max_length=20, verbose_name="unit"),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="upstream",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="attempts",
                to="upstreams.upstream",
                verbose_name="upstream",
            ),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="worker",
            field=models.CharField(blank=True, max_length=64, verbose_name="worker"),
        ),
        migrations.AlterField(
            model_name="batch",
            name="count",
            field=models.PositiveSmallIntegerField(verbose_name="count"),
        ),
        migrations.AlterField(
            model_name="batch",
            name="created_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, editable=False, verbose_name="created at"
            ),
        ),
        migrations.AlterField(
            model_name="batch",
            name="id",
            field=models.UUIDField(
                default=uuid6.uuid7, editable=False, primary_key=True, serialize=False, verbose_name="id"
            ),
        ),
        migrations.AlterField(
            model_name="batch",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="batches",
                to="teams.membership",
                verbose_name="member",
            ),
        ),
        migrations.AlterField(
            model_name="batch",
            name="model",
            field=models.CharField(max_length=40, verbose_name="model"),
        ),
        migrations.AlterField(
            model_name="batch",
            name="parameters",
            field=models.JSONField(default=dict, verbose_name="parameters"),
        ),
        migrations.AlterField(
            model_name="batch",
            name="start_image",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="batches",
                to="library.upload",
                verbose_name="start image",
            ),
        ),
        migrations.AlterField(
            model_name="batch",
            name="submission",
            field=models.UUIDField(
                help_text="Named by the form, so that pressing twice makes one batch.",
                verbose_name="submission",
            ),
        ),
        migrations.AlterField(
            model_name="batch",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="batches",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AlterField(
            model_name="batch",
            name="visibility",
            field=models.CharField(
                choices=[("team", "Team"), ("private", "Private")],
                default="team",
                max_length=8,
                verbose_name="visibility",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="attempt",
            field=models.PositiveIntegerField(
                default=0, help_text="Counts claims; fences late writers.", verbose_name="attempt"
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="batch",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="generations",
                to="jobs.batch",
                verbose_name="batch",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="called_at",
            field=models.DateTimeField(
                blank=True, help_text="Its first call.", null=True, verbose_name="called at"
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="changed_at",
            field=models.DateTimeField(default=django.utils.timezone.now, verbose_name="changed at"),
        ),
        migrations.AlterField(
            model_name="generation",
            name="code",
            field=models.CharField(
                blank=True,
                help_text="The provider's or our own name for it.",
                max_length=60,
                verbose_name="code",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="created_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, editable=False, verbose_name="created at"
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="ended_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="ended at"),
        ),
        migrations.AlterField(
            model_name="generation",
            name="id",
            field=models.UUIDField(
                default=uuid6.uuid7, editable=False, primary_key=True, serialize=False, verbose_name="id"
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="lease_until",
            field=models.DateTimeField(blank=True, null=True, verbose_name="lease until"),
        ),
        migrations.AlterField(
            model_name="generation",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="generations",
                to="teams.membership",
                verbose_name="member",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="model",
            field=models.CharField(max_length=40, verbose_name="model"),
        ),
        migrations.AlterField(
            model_name="generation",
            name="not_before",
            field=models.DateTimeField(default=django.utils.timezone.now, verbose_name="not before"),
        ),
        migrations.AlterField(
            model_name="generation",
            name="parameters",
            field=models.JSONField(default=dict, verbose_name="parameters"),
        ),
        migrations.AlterField(
            model_name="generation",
            name="position",
            field=models.PositiveSmallIntegerField(verbose_name="position"),
        ),
        migrations.AlterField(
            model_name="generation",
            name="price",
            field=models.PositiveBigIntegerField(help_text="hundredths of a credit", verbose_name="price"),
        ),
        migrations.AlterField(
            model_name="generation",
            name="priority",
            field=models.SmallIntegerField(default=0, verbose_name="priority"),
        ),
        migrations.AlterField(
            model_name="generation",
            name="reason",
            field=models.CharField(
                blank=True,
                help_text="Why no image came, in plain words.",
                max_length=400,
                verbose_name="reason",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="retry_of",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="retries",
                to="jobs.generation",
                verbose_name="retry of",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="stamp",
            field=models.BigIntegerField(
                help_text="Virtual start: the smallest is served first.", verbose_name="stamp"
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="started_at",
            field=models.DateTimeField(
                blank=True, help_text="Its latest claim.", null=True, verbose_name="started at"
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="status",
            field=models.CharField(
                choices=[
                    ("queued", "Waiting"),
                    ("running", "Drawing"),
                    ("storing", "Storing"),
                    ("succeeded", "Done"),
                    ("failed", "Not charged"),
                    ("filtered", "Not charged: filtered"),
                    ("canceled", "Canceled, not charged"),
                ],
                default="queued",
                max_length=9,
                verbose_name="status",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="generations",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="tries",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="Calls answered busy, 429 apart.", verbose_name="tries"
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="unknowns",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="Calls that may have been bought.", verbose_name="unknowns"
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
                verbose_name="upstream",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="waited_out",
            field=models.DurationField(
                blank=True,
                help_text="Blocks and pauses since the first call; they do not count.",
                null=True,
                verbose_name="waited out",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="worker",
            field=models.CharField(blank=True, max_length=64, verbose_name="worker"),
        ),
        migrations.AlterField(
            model_name="modelrule",
            name="model",
            field=models.CharField(max_length=40, verbose_name="model"),
        ),
        migrations.AlterField(
            model_name="modelrule",
            name="roles",
            field=models.JSONField(
                default=list,
                help_text="Values of Role; an empty list closes the model.",
                verbose_name="roles",
            ),
        ),
        migrations.AlterField(
            model_name="modelrule",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="model_rules",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AlterField(
            model_name="price",
            name="amount",
            field=models.PositiveBigIntegerField(help_text="hundredths of a credit", verbose_name="amount"),
        ),
        migrations.AlterField(
            model_name="price",
            name="model",
            field=models.CharField(max_length=40, verbose_name="model"),
        ),
        migrations.AlterField(
            model_name="price",
            name="team",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="prices",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AlterField(
            model_name="price",
            name="valid_from",
            field=models.DateTimeField(default=django.utils.timezone.now, verbose_name="valid from"),
        ),
    ]
