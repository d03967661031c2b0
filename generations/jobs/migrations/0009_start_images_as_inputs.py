from __future__ import annotations

from typing import Any

from django.db import migrations

AT_ONCE = 1000


def copy_start_images(apps: Any, _schema_editor: object) -> None:
    """Give each batch with a start image the same image as its input; a second run adds nothing."""
    batch_model, input_model = apps.get_model("jobs", "Batch"), apps.get_model("jobs", "BatchInput")
    batches = batch_model.objects.filter(start_image__isnull=False).values_list("pk", "start_image")
    rows = (
        input_model(batch_id=batch, role="image", position=0, upload_id=upload)
        for batch, upload in batches.iterator(chunk_size=AT_ONCE)
    )
    input_model.objects.bulk_create(rows, batch_size=AT_ONCE, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0008_tasks_and_inputs"),
    ]

    operations = [
        migrations.RunPython(copy_start_images, migrations.RunPython.noop),
    ]
