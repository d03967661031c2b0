from typing import Any

from django.db import migrations

from generations.library import index, indexes


def enter_all(apps: Any, schema_editor: Any) -> None:
    """Let every image be found that was there before the search was."""
    image, entry = apps.get_model("library", "Image"), apps.get_model("library", "SearchEntry")
    batch = []
    for row in image.objects.filter(trashed_at=None).iterator(chunk_size=500):
        batch.append(
            entry(
                image=row,
                team_id=row.team_id,
                owner_id=row.owner_id,
                visibility=row.visibility,
                created_at=row.created_at,
                document=index.line(row),
            )
        )
        if len(batch) == 500:
            entry.objects.bulk_create(batch)
            batch.clear()
    entry.objects.bulk_create(batch)


class Migration(migrations.Migration):
    dependencies = [("library", "0003_found_and_organised")]

    operations = [
        # In this order: PostgreSQL alters no table whose new rows it has yet to check.
        migrations.RunPython(indexes.put_up, indexes.take_down),
        migrations.RunPython(enter_all, migrations.RunPython.noop, elidable=True),
    ]
