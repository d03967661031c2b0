import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("library", "0007_hidden_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="share",
            name="is_selection",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Whether it shows `ShareImage`s.",
                verbose_name="selection",
            ),
        ),
        migrations.AddField(
            model_name="share",
            name="title",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Of its page; without one, that of the image or the collection's name.",
                max_length=200,
                verbose_name="title",
            ),
        ),
        migrations.AddField(
            model_name="share",
            name="password",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Hashed.",
                max_length=128,
                verbose_name="password",
            ),
        ),
        migrations.RemoveConstraint(model_name="share", name="a_link_leads_to_one_thing"),
        migrations.AddConstraint(
            model_name="share",
            constraint=models.CheckConstraint(
                condition=Q(image__isnull=False, collection__isnull=True, is_selection=False)
                | Q(image__isnull=True, collection__isnull=False, is_selection=False)
                | Q(image__isnull=True, collection__isnull=True, is_selection=True),
                name="a_link_leads_to_one_thing",
            ),
        ),
        migrations.CreateModel(
            name="ShareImage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "image",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="share_images",
                        to="library.image",
                        verbose_name="image",
                    ),
                ),
                (
                    "share",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="share_images",
                        to="library.share",
                        verbose_name="share",
                    ),
                ),
            ],
            options={
                "verbose_name": "image of a share",
                "verbose_name_plural": "images of shares",
                "constraints": [
                    models.UniqueConstraint(fields=("share", "image"), name="a_link_shows_an_image_once")
                ],
            },
        ),
    ]
