import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0007_requests_of_deleted_images"),
        ("library", "0005_bulk_actions"),
        ("teams", "0007_invitation_token"),
        ("upstreams", "0007_results"),
    ]

    operations = [
        migrations.CreateModel(
            name="BatchInput",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("role", models.CharField(max_length=20, verbose_name="role")),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="position")),
                (
                    "image",
                    models.UUIDField(
                        blank=True,
                        help_text="The image of the library that it was made from.",
                        null=True,
                        verbose_name="image",
                    ),
                ),
            ],
            options={
                "verbose_name": "input of a batch",
                "verbose_name_plural": "inputs of batches",
                "ordering": ["role", "position"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="generation",
            name="finished_means_an_end_time",
        ),
        migrations.AddField(
            model_name="attempt",
            name="expires_at",
            field=models.DateTimeField(
                blank=True, help_text="When it is given up.", null=True, verbose_name="expires at"
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="failed_polls",
            field=models.PositiveSmallIntegerField(
                db_default=0, default=0, verbose_name="failed polls in a row"
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="message",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="What the provider says.",
                max_length=200,
                verbose_name="message",
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="poll_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When it is polled next; empty if it is no task.",
                null=True,
                verbose_name="poll at",
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="progress",
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="progress in percent"),
        ),
        migrations.AddField(
            model_name="attempt",
            name="task",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="How to poll it, or the addresses of its results; encrypted.",
                verbose_name="task",
            ),
        ),
        migrations.AddField(
            model_name="batch",
            name="action",
            field=models.JSONField(
                blank=True,
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                help_text="What its parent offered as a next step: name, title, state; empty for other requests.",
                verbose_name="action",
            ),
        ),
        migrations.AddField(
            model_name="batch",
            name="parent",
            field=models.UUIDField(
                blank=True,
                help_text="The image of the library that it continues.",
                null=True,
                verbose_name="parent",
            ),
        ),
        migrations.AddField(
            model_name="generation",
            name="pinned_to",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="The only account that can do it: the one that made its parent.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="upstreams.upstream",
                verbose_name="pinned to",
            ),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("ok", "drawn"),
                    ("accepted", "accepted"),
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
            model_name="generation",
            name="status",
            field=models.CharField(
                choices=[
                    ("queued", "Waiting"),
                    ("running", "Drawing"),
                    ("submitted", "In progress"),
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
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("poll_at__isnull", False)), fields=["poll_at"], name="tasks_by_next_poll"
            ),
        ),
        migrations.AddConstraint(
            model_name="generation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("ended_at__isnull", True),
                        ("status__in", ("queued", "running", "submitted", "storing")),
                    ),
                    models.Q(
                        models.Q(
                            ("status__in", ("queued", "running", "submitted", "storing")), _negated=True
                        ),
                        ("ended_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="finished_means_an_end_time",
            ),
        ),
        migrations.AddField(
            model_name="batchinput",
            name="batch",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="inputs",
                to="jobs.batch",
                verbose_name="batch",
            ),
        ),
        migrations.AddField(
            model_name="batchinput",
            name="upload",
            field=models.ForeignKey(
                help_text="As it is sent.",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="inputs",
                to="library.upload",
                verbose_name="upload",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchinput",
            constraint=models.UniqueConstraint(
                fields=("batch", "role", "position"), name="one_input_a_role_and_position"
            ),
        ),
    ]
