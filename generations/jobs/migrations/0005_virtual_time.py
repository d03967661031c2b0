import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Rename columns, indexes and constraints; no value changes. The AlterFields are texts alone."""

    dependencies = [
        ("jobs", "0004_asked_for_by_tokens"),
        ("teams", "0006_tokens"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="generation", name="waiting_fairest_first"),
        migrations.RemoveIndex(model_name="generation", name="virtual_clock"),
        migrations.RemoveIndex(model_name="generation", name="last_start_of_a_member"),
        migrations.RenameField(model_name="generation", old_name="stamp", new_name="virtual_start"),
        migrations.RenameField(model_name="generation", old_name="waited_out", new_name="excused_wait"),
        migrations.RenameField(model_name="generation", old_name="tries", new_name="busy_calls"),
        migrations.RenameField(model_name="generation", old_name="unknowns", new_name="unknown_calls"),
        migrations.RenameField(model_name="generation", old_name="called_at", new_name="first_called_at"),
        migrations.RenameField(model_name="generation", old_name="started_at", new_name="claimed_at"),
        migrations.AddIndex(
            model_name="generation",
            index=models.Index(fields=["status", "-priority", "virtual_start", "id"], name="queue_order"),
        ),
        migrations.AddIndex(
            model_name="generation",
            index=models.Index(fields=["-virtual_start"], name="newest_virtual_start"),
        ),
        migrations.AddIndex(
            model_name="generation",
            index=models.Index(fields=["member", "-virtual_start"], name="last_virtual_start_of_a_member"),
        ),
        migrations.RenameIndex(model_name="generation", old_name="leases", new_name="leases_by_expiry"),
        migrations.RenameIndex(
            model_name="generation", old_name="asked_for_by_a_token", new_name="generations_of_a_token"
        ),
        migrations.RemoveConstraint(model_name="generation", name="a_batch_counts_its_images"),
        migrations.RemoveConstraint(model_name="generation", name="an_ended_row_is_tried_again_once"),
        migrations.RemoveConstraint(model_name="generation", name="what_ended_says_when"),
        migrations.AddConstraint(
            model_name="generation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retry_of__isnull", True)),
                fields=("batch", "position"),
                name="a_batch_has_one_image_a_position",
            ),
        ),
        migrations.AddConstraint(
            model_name="generation",
            constraint=models.UniqueConstraint(fields=("retry_of",), name="a_generation_is_retried_once"),
        ),
        migrations.AddConstraint(
            model_name="generation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at__isnull", True), ("status__in", ("queued", "running", "storing"))),
                    models.Q(
                        models.Q(("status__in", ("queued", "running", "storing")), _negated=True),
                        ("ended_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="finished_means_an_end_time",
            ),
        ),
        migrations.RemoveConstraint(model_name="price", name="a_price_is_something"),
        migrations.AddConstraint(
            model_name="price",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="a_price_is_positive"
            ),
        ),
        migrations.AlterField(
            model_name="batch",
            name="submission",
            field=models.UUIDField(
                help_text="Chosen by the form, so that sending it twice creates one batch.",
                verbose_name="submission",
            ),
        ),
        migrations.AlterField(
            model_name="batch",
            name="token",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="The token of the request; empty if it came from the page.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="batches",
                to="teams.token",
                verbose_name="API token",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="attempt",
            field=models.PositiveIntegerField(
                default=0,
                help_text="Number of claims; a writer with an older number is refused.",
                verbose_name="attempt",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="busy_calls",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="Calls answered busy, other than by 429.", verbose_name="busy calls"
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="claimed_at",
            field=models.DateTimeField(
                blank=True, help_text="Its last claim.", null=True, verbose_name="claimed at"
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="code",
            field=models.CharField(
                blank=True,
                help_text="The reason as the provider's or portal's code.",
                max_length=60,
                verbose_name="code",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="excused_wait",
            field=models.DurationField(
                blank=True,
                help_text="Time since the first call in which the account was blocked or paused; not counted.",
                null=True,
                verbose_name="excused wait",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="first_called_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="first called at"),
        ),
        migrations.AlterField(
            model_name="generation",
            name="reason",
            field=models.CharField(
                blank=True,
                help_text="Why there is no image, as members read it.",
                max_length=400,
                verbose_name="reason",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="token",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="The token whose cap it counts against; a retry may have another one than its batch.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="generations",
                to="teams.token",
                verbose_name="API token",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="unknown_calls",
            field=models.PositiveSmallIntegerField(
                default=0,
                help_text="Calls without an answer; they may have been charged.",
                verbose_name="unknown calls",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="virtual_start",
            field=models.BigIntegerField(
                help_text="In virtual time; the smallest is served first.", verbose_name="virtual start"
            ),
        ),
    ]
