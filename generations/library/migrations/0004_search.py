from typing import Any

from django.db import migrations

from ._search_lines import line

PUT_UP = {
    "sqlite": [
        "CREATE VIRTUAL TABLE library_words USING "
        "fts5(document, content='library_searchentry', content_rowid='id', detail=none, tokenize='ascii')",
        "CREATE TRIGGER library_words_insert AFTER INSERT ON library_searchentry BEGIN "
        "INSERT INTO library_words(rowid, document) VALUES (new.id, new.document); END",
        "CREATE TRIGGER library_words_delete AFTER DELETE ON library_searchentry BEGIN "
        "INSERT INTO library_words(library_words, rowid, document) VALUES ('delete', old.id, old.document); END",
        "CREATE TRIGGER library_words_update AFTER UPDATE OF document ON library_searchentry BEGIN "
        "INSERT INTO library_words(library_words, rowid, document) VALUES ('delete', old.id, old.document); "
        "INSERT INTO library_words(rowid, document) VALUES (new.id, new.document); END",
        "INSERT INTO library_words(library_words) VALUES ('rebuild')",
    ],
    "postgresql": [
        "ALTER TABLE library_searchentry ADD COLUMN vector tsvector "
        "GENERATED ALWAYS AS (array_to_tsvector(string_to_array(document, ' '))) STORED",
        "CREATE INDEX entries_by_token ON library_searchentry USING gin (vector) WITH (fastupdate = off)",
        "ALTER TABLE library_searchentry ALTER COLUMN vector SET STATISTICS 1000",
    ],
}
TAKE_DOWN = {
    "sqlite": [
        "DROP TRIGGER IF EXISTS library_words_insert",
        "DROP TRIGGER IF EXISTS library_words_delete",
        "DROP TRIGGER IF EXISTS library_words_update",
        "DROP TABLE IF EXISTS library_words",
    ],
    "postgresql": ["ALTER TABLE library_searchentry DROP COLUMN IF EXISTS vector"],
}


def put_up(apps: Any, schema_editor: Any) -> None:
    """Index every line, and each that comes; harmless when repeated."""
    take_down(apps, schema_editor)
    for statement in PUT_UP[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def take_down(apps: Any, schema_editor: Any) -> None:
    """Leave the lines alone, without their index."""
    for statement in TAKE_DOWN[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


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
                document=line(row),
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
        migrations.RunPython(put_up, take_down),
        migrations.RunPython(enter_all, migrations.RunPython.noop, elidable=True),
    ]
