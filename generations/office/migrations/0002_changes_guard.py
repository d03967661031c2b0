from typing import Any

from django.db import migrations

SAYS = "Changes are written down, never rewritten."
PUT_UP = {
    "sqlite": [
        "CREATE TRIGGER changes_guard_UPDATE BEFORE UPDATE ON office_auditentry "
        f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
        "CREATE TRIGGER changes_guard_DELETE BEFORE DELETE ON office_auditentry "
        f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION changes_guard() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{SAYS}' USING ERRCODE = 'restrict_violation'; END $$",
        "CREATE TRIGGER changes_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON office_auditentry "
        "FOR EACH STATEMENT EXECUTE FUNCTION changes_guard()",
    ],
}
TAKE_DOWN = {
    "sqlite": [
        "DROP TRIGGER IF EXISTS changes_guard_UPDATE",
        "DROP TRIGGER IF EXISTS changes_guard_DELETE",
    ],
    "postgresql": ["DROP TRIGGER IF EXISTS changes_guard ON office_auditentry"],
}


def put_up(apps: Any, schema_editor: Any) -> None:
    """Refuse UPDATE and DELETE (and TRUNCATE, where there is one) from now on; harmless when repeated."""
    take_down(apps, schema_editor)
    for statement in PUT_UP[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def take_down(apps: Any, schema_editor: Any) -> None:
    """Let the rows be changed again, for a migration alone."""
    for statement in TAKE_DOWN[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("office", "0001_initial")]
    operations = [migrations.RunPython(put_up, take_down)]
