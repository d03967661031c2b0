import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("library", "0005_bulk_actions"),
        ("teams", "0007_invitation_token"),
    ]

    operations = [
        migrations.AddField(
            model_name="image",
            name="actions",
            field=models.JSONField(
                blank=True,
                db_default=models.Value([], models.JSONField()),
                default=list,
                help_text="Next steps that the provider offers: name, title and state of each.",
                verbose_name="actions",
            ),
        ),
        migrations.AddField(
            model_name="image",
            name="kind",
            field=models.CharField(
                choices=[("image", "Image"), ("svg", "Drawing (SVG)"), ("text", "Text"), ("file", "File")],
                db_default="image",
                default="image",
                max_length=5,
                verbose_name="kind",
            ),
        ),
        migrations.AddField(
            model_name="image",
            name="parent",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="The image that it was made from.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="children",
                to="library.image",
                verbose_name="parent",
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="has_alpha",
            field=models.BooleanField(db_default=False, default=False, verbose_name="has transparency"),
        ),
        migrations.AddField(
            model_name="upload",
            name="source_height",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="height of the file"),
        ),
        migrations.AddField(
            model_name="upload",
            name="source_width",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Before it was made smaller.",
                null=True,
                verbose_name="width of the file",
            ),
        ),
        migrations.AlterField(
            model_name="image",
            name="media_type",
            field=models.CharField(max_length=100, verbose_name="media type"),
        ),
        migrations.AddIndex(
            model_name="image",
            index=models.Index(
                condition=models.Q(("parent__isnull", False)), fields=["parent"], name="images_by_parent"
            ),
        ),
        migrations.AddField(
            model_name="image",
            name="is_animated",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Whether the image has several frames.",
                verbose_name="moves",
            ),
        ),
        migrations.AddField(
            model_name="image",
            name="is_composite",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Whether it was made from another image, which may be deleted since.",
                verbose_name="composite",
            ),
        ),
        migrations.AddField(
            model_name="image",
            name="text",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="What a model wrote, or the words in a drawing.",
                verbose_name="text",
            ),
        ),
    ]
