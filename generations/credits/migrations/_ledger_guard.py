"""The triggers that keep ledger lines as they were written, frozen as the statements they were then."""

from typing import Any

SAYS = "Ledger lines are added, never changed."
PUT_UP = {
    "sqlite": [
        "CREATE TRIGGER ledger_guard_UPDATE BEFORE UPDATE ON credits_transfer "
        f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
        "CREATE TRIGGER ledger_guard_DELETE BEFORE DELETE ON credits_transfer "
        f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION ledger_guard() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{SAYS}' USING ERRCODE = 'restrict_violation'; END $$",
        "CREATE TRIGGER ledger_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON credits_transfer "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard()",
    ],
}
TAKE_DOWN = {
    "sqlite": [
        "DROP TRIGGER IF EXISTS ledger_guard_UPDATE",
        "DROP TRIGGER IF EXISTS ledger_guard_DELETE",
    ],
    "postgresql": ["DROP TRIGGER IF EXISTS ledger_guard ON credits_transfer"],
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
