"""What each database adds to the table of search entries, so that its lines are found by their tokens.

SQLite drops a table's triggers without a word when a migration rebuilds the table, and PostgreSQL a generated
column with the one that it reads: a migration that alters `library_searchentry` ends with
`RunPython(indexes.put_up, indexes.take_down)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLE = "library_searchentry"
# Tokens are our own (words.py): the tokenizer of FTS5 has only to part them at spaces.
FTS5 = f"fts5(document, content='{TABLE}', content_rowid='id', detail=none, tokenize='ascii')"
ADD = "INSERT INTO library_words(rowid, document) VALUES (new.id, new.document);"
REMOVE = "INSERT INTO library_words(library_words, rowid, document) VALUES ('delete', old.id, old.document);"

SET = {
    "sqlite": [
        f"CREATE VIRTUAL TABLE library_words USING {FTS5}",
        f"CREATE TRIGGER library_words_insert AFTER INSERT ON {TABLE} BEGIN {ADD} END",
        f"CREATE TRIGGER library_words_delete AFTER DELETE ON {TABLE} BEGIN {REMOVE} END",
        f"CREATE TRIGGER library_words_update AFTER UPDATE OF document ON {TABLE} BEGIN {REMOVE} {ADD} END",
        "INSERT INTO library_words(library_words) VALUES ('rebuild')",
    ],
    "postgresql": [
        f"ALTER TABLE {TABLE} ADD COLUMN vector tsvector "
        "GENERATED ALWAYS AS (array_to_tsvector(string_to_array(document, ' '))) STORED",
        # Without a list of what waits to be indexed: a search would have to read it every time.
        f"CREATE INDEX entries_by_token ON {TABLE} USING gin (vector) WITH (fastupdate = off)",
        # Words that are rare among many are common enough to plan for.
        f"ALTER TABLE {TABLE} ALTER COLUMN vector SET STATISTICS 1000",
    ],
}
LIFT = {
    "sqlite": [
        *(f"DROP TRIGGER IF EXISTS library_words_{verb}" for verb in ("insert", "delete", "update")),
        "DROP TABLE IF EXISTS library_words",
    ],
    "postgresql": [f"ALTER TABLE {TABLE} DROP COLUMN IF EXISTS vector"],
}


def put_up(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Index every line, and each that comes; harmless when repeated."""
    take_down(apps, schema_editor)
    for statement in SET[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def take_down(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Leave the lines alone, without their index."""
    for statement in LIFT[schema_editor.connection.vendor]:
        schema_editor.execute(statement)
