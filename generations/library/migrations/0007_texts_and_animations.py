from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("library", "0006_outputs"),
    ]

    operations = [
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
