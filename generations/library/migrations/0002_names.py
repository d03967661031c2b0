import django.db.models.deletion
import django.utils.timezone
import uuid6
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("library", "0001_initial"),
        ("teams", "0004_names"),
    ]

    operations = [
        migrations.AlterField(
            model_name="image",
            name="batch",
            field=models.UUIDField(blank=True, db_index=True, null=True, verbose_name="batch"),
        ),
        migrations.AlterField(
            model_name="image",
            name="bytes",
            field=models.PositiveBigIntegerField(verbose_name="bytes"),
        ),
        migrations.AlterField(
            model_name="image",
            name="created_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, editable=False, verbose_name="created at"
            ),
        ),
        migrations.AlterField(
            model_name="image",
            name="generation",
            field=models.UUIDField(blank=True, db_index=True, null=True, verbose_name="generation"),
        ),
        migrations.AlterField(
            model_name="image",
            name="height",
            field=models.PositiveIntegerField(verbose_name="height"),
        ),
        migrations.AlterField(
            model_name="image",
            name="id",
            field=models.UUIDField(
                default=uuid6.uuid7, editable=False, primary_key=True, serialize=False, verbose_name="id"
            ),
        ),
        migrations.AlterField(
            model_name="image",
            name="key",
            field=models.CharField(max_length=300, verbose_name="key"),
        ),
        migrations.AlterField(
            model_name="image",
            name="media_type",
            field=models.CharField(max_length=20, verbose_name="media type"),
        ),
        migrations.AlterField(
            model_name="image",
            name="model",
            field=models.CharField(blank=True, max_length=40, verbose_name="model"),
        ),
        migrations.AlterField(
            model_name="image",
            name="negative_prompt",
            field=models.TextField(blank=True, verbose_name="negative prompt"),
        ),
        migrations.AlterField(
            model_name="image",
            name="origin",
            field=models.CharField(
                choices=[("generated", "Generated"), ("uploaded", "Uploaded"), ("imported", "Imported")],
                default="generated",
                max_length=10,
                verbose_name="origin",
            ),
        ),
        migrations.AlterField(
            model_name="image",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="images",
                to="teams.membership",
                verbose_name="owner",
            ),
        ),
        migrations.AlterField(
            model_name="image",
            name="parameters",
            field=models.JSONField(blank=True, default=dict, verbose_name="parameters"),
        ),
        migrations.AlterField(
            model_name="image",
            name="placeholder",
            field=models.CharField(
                blank=True,
                help_text="A tiny WebP as a data: address, shown blurred while loading.",
                max_length=2000,
                verbose_name="placeholder",
            ),
        ),
        migrations.AlterField(
            model_name="image",
            name="position",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="Which image of its generation.", verbose_name="position"
            ),
        ),
        migrations.AlterField(
            model_name="image",
            name="prompt",
            field=models.TextField(blank=True, verbose_name="prompt"),
        ),
        migrations.AlterField(
            model_name="image",
            name="seed",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="seed"),
        ),
        migrations.AlterField(
            model_name="image",
            name="sha256",
            field=models.CharField(db_index=True, max_length=64, verbose_name="sha256"),
        ),
        migrations.AlterField(
            model_name="image",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="images",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AlterField(
            model_name="image",
            name="title",
            field=models.CharField(blank=True, max_length=200, verbose_name="title"),
        ),
        migrations.AlterField(
            model_name="image",
            name="trashed_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="trashed at"),
        ),
        migrations.AlterField(
            model_name="image",
            name="visibility",
            field=models.CharField(
                choices=[("team", "Team"), ("private", "Private")],
                default="team",
                max_length=8,
                verbose_name="visibility",
            ),
        ),
        migrations.AlterField(
            model_name="image",
            name="width",
            field=models.PositiveIntegerField(verbose_name="width"),
        ),
        migrations.AlterField(
            model_name="upload",
            name="bytes",
            field=models.PositiveBigIntegerField(verbose_name="bytes"),
        ),
        migrations.AlterField(
            model_name="upload",
            name="created_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, editable=False, verbose_name="created at"
            ),
        ),
        migrations.AlterField(
            model_name="upload",
            name="height",
            field=models.PositiveIntegerField(verbose_name="height"),
        ),
        migrations.AlterField(
            model_name="upload",
            name="id",
            field=models.UUIDField(
                default=uuid6.uuid7, editable=False, primary_key=True, serialize=False, verbose_name="id"
            ),
        ),
        migrations.AlterField(
            model_name="upload",
            name="key",
            field=models.CharField(max_length=300, verbose_name="key"),
        ),
        migrations.AlterField(
            model_name="upload",
            name="media_type",
            field=models.CharField(max_length=20, verbose_name="media type"),
        ),
        migrations.AlterField(
            model_name="upload",
            name="name",
            field=models.CharField(blank=True, max_length=200, verbose_name="name"),
        ),
        migrations.AlterField(
            model_name="upload",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="uploads",
                to="teams.membership",
                verbose_name="owner",
            ),
        ),
        migrations.AlterField(
            model_name="upload",
            name="sha256",
            field=models.CharField(max_length=64, verbose_name="sha256"),
        ),
        migrations.AlterField(
            model_name="upload",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="uploads",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AlterField(
            model_name="upload",
            name="width",
            field=models.PositiveIntegerField(verbose_name="width"),
        ),
    ]
