import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """Deed becomes BulkAction, Collected CollectionImage, Tagged ImageTag; tables and columns stay as they are."""

    dependencies = [("library", "0004_search"), ("teams", "0006_tokens")]

    operations = [
        # A table that is named explicitly, and a column likewise, is not renamed with its model or field.
        migrations.AlterModelTable(name="deed", table="library_deed"),
        migrations.RenameModel(old_name="Deed", new_name="BulkAction"),
        migrations.AlterModelOptions(
            name="bulkaction",
            options={"verbose_name": "bulk action", "verbose_name_plural": "bulk actions"},
        ),
        migrations.AlterField(
            model_name="bulkaction",
            name="act",
            field=models.CharField(db_column="act", max_length=12, verbose_name="kind"),
        ),
        migrations.RenameField(model_name="bulkaction", old_name="act", new_name="kind"),
        migrations.AlterModelTable(name="collected", table="library_collected"),
        migrations.RenameModel(old_name="Collected", new_name="CollectionImage"),
        migrations.AlterModelTable(name="tagged", table="library_tagged"),
        migrations.RenameModel(old_name="Tagged", new_name="ImageTag"),
        migrations.AlterModelOptions(
            name="collectionimage",
            options={"verbose_name": "image of a collection", "verbose_name_plural": "images of collections"},
        ),
        migrations.AlterModelOptions(
            name="imagetag",
            options={"verbose_name": "tag of an image", "verbose_name_plural": "tags of images"},
        ),
        migrations.AlterField(
            model_name="bulkaction",
            name="changed",
            field=models.JSONField(
                default=list, help_text="Ids of the changed images.", verbose_name="changed"
            ),
        ),
        migrations.AlterField(
            model_name="bulkaction",
            name="done",
            field=models.PositiveIntegerField(
                default=0, help_text="How many images were processed.", verbose_name="done"
            ),
        ),
        migrations.AlterField(
            model_name="bulkaction",
            name="images",
            field=models.JSONField(help_text="Ids, in the order of processing.", verbose_name="images"),
        ),
        migrations.AlterField(
            model_name="bulkaction",
            name="lease_until",
            field=models.DateTimeField(
                blank=True,
                help_text="Until then a worker is processing it.",
                null=True,
                verbose_name="lease until",
            ),
        ),
        migrations.AlterField(
            model_name="bulkaction",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="bulk_actions",
                to="teams.membership",
                verbose_name="member",
            ),
        ),
        migrations.AlterField(
            model_name="collection",
            name="changed_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now,
                help_text="When images were last added or removed.",
                verbose_name="changed at",
            ),
        ),
        migrations.AlterField(
            model_name="collectionimage",
            name="collection",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="collection_images",
                to="library.collection",
                verbose_name="collection",
            ),
        ),
        migrations.AlterField(
            model_name="collectionimage",
            name="image",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="collection_images",
                to="library.image",
                verbose_name="image",
            ),
        ),
        migrations.AlterField(
            model_name="imagetag",
            name="image",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="image_tags",
                to="library.image",
                verbose_name="image",
            ),
        ),
        migrations.AlterField(
            model_name="imagetag",
            name="tag",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="image_tags",
                to="library.tag",
                verbose_name="tag",
            ),
        ),
        migrations.AlterField(
            model_name="savedsearch",
            name="address",
            field=models.CharField(
                help_text="The query string, without the question mark.",
                max_length=2000,
                verbose_name="address",
            ),
        ),
        migrations.AlterField(
            model_name="searchentry",
            name="document",
            field=models.TextField(
                help_text="Terms of the image's texts and of all filters.", verbose_name="document"
            ),
        ),
        migrations.AlterField(
            model_name="tag",
            name="key",
            field=models.CharField(
                help_text="Without case, width and accents.", max_length=120, verbose_name="key"
            ),
        ),
    ]
