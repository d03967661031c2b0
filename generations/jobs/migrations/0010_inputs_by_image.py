from django.db import migrations, models


class Migration(migrations.Migration):
    """Batches are found by the image of the library that they were made with."""

    dependencies = [("jobs", "0009_start_images_as_inputs")]
    operations = [
        migrations.AddIndex(
            model_name="batchinput",
            index=models.Index(
                condition=models.Q(("image__isnull", False)),
                fields=["image"],
                name="batches_made_with_an_image",
            ),
        ),
    ]
