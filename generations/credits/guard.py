"""What makes the ledger's lines permanent: the database itself refuses to change or remove one.

SQLite drops a table's triggers without a word when a migration rebuilds the table, so a migration
that alters credits_transfer ends with `RunPython(guard.put_up, guard.take_down)`.
"""

from django.apps.registry import Apps
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

SAYS = "Ledger lines are added, never changed."
SET = {
    "sqlite": [
        f"CREATE TRIGGER ledger_guard_{verb} BEFORE {verb} ON credits_transfer "
        f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION ledger_guard() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{SAYS}' USING ERRCODE = 'restrict_violation'; END $$",
        "CREATE TRIGGER ledger_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON credits_transfer "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard()",
    ],
}
LIFT = {
    "sqlite": [f"DROP TRIGGER IF EXISTS ledger_guard_{verb}" for verb in ("UPDATE", "DELETE")],
    "postgresql": ["DROP TRIGGER IF EXISTS ledger_guard ON credits_transfer"],
}


def put_up(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Refuse UPDATE and DELETE (and TRUNCATE, where there is one) from now on; harmless when repeated."""
    take_down(apps, schema_editor)
    for statement in SET[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def take_down(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Let the lines be changed again, for a migration alone."""
    for statement in LIFT[schema_editor.connection.vendor]:
        schema_editor.execute(statement)
