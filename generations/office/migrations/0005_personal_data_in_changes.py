from typing import Any

from django.db import migrations

SAYS = "Changes are written down, never rewritten."
PERMANENT = ("id", "team_id", "actor_id", "act", "member_id", "note", "at")
REFUSE = f"RAISE EXCEPTION '{SAYS}' USING ERRCODE = 'restrict_violation'"


def removes_only(equals: str, values: dict[str, str]) -> str:
    """An UPDATE that makes the address or the subject empty, or takes email and name out of the values."""
    conditions = [f"NEW.{column} {equals} OLD.{column}" for column in PERMANENT]
    conditions.append(f"(NEW.address IS NULL OR NEW.address {equals} OLD.address)")
    conditions.append("(NEW.subject = '' OR NEW.subject = OLD.subject)")
    conditions += [f'(NEW."{column}" = OLD."{column}" OR {value})' for column, value in values.items()]
    return " AND ".join(conditions)


ON_SQLITE = {
    column: f"json(NEW.\"{column}\") = json_remove(OLD.\"{column}\", '$.email', '$.name')"
    for column in ("before", "after")
}
ON_POSTGRESQL = {
    column: f"NEW.\"{column}\" = OLD.\"{column}\" - 'email' - 'name'" for column in ("before", "after")
}
DROP = {
    "sqlite": [
        "DROP TRIGGER IF EXISTS changes_guard_UPDATE",
        "DROP TRIGGER IF EXISTS changes_guard_DELETE",
    ],
    "postgresql": [
        "DROP TRIGGER IF EXISTS changes_guard ON office_auditentry",
        "DROP TRIGGER IF EXISTS changes_guard_update ON office_auditentry",
    ],
}
REFUSE_DELETE = {
    "sqlite": [
        "CREATE TRIGGER changes_guard_DELETE BEFORE DELETE ON office_auditentry "
        f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION changes_guard() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {REFUSE}; END $$",
        "CREATE TRIGGER changes_guard BEFORE DELETE OR TRUNCATE ON office_auditentry "
        "FOR EACH STATEMENT EXECUTE FUNCTION changes_guard()",
    ],
}
ALLOW_REMOVAL = {
    "sqlite": [
        "CREATE TRIGGER changes_guard_UPDATE BEFORE UPDATE ON office_auditentry "
        f"WHEN NOT ({removes_only('IS', ON_SQLITE)}) BEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION changes_guard_update() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {removes_only('IS NOT DISTINCT FROM', ON_POSTGRESQL)} "
        f"THEN RETURN NEW; END IF; {REFUSE}; END $$",
        "CREATE TRIGGER changes_guard_update BEFORE UPDATE ON office_auditentry "
        "FOR EACH ROW EXECUTE FUNCTION changes_guard_update()",
    ],
}
REFUSE_UPDATE = {
    "sqlite": [
        "CREATE TRIGGER changes_guard_UPDATE BEFORE UPDATE ON office_auditentry "
        f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
    ],
    "postgresql": [
        "CREATE TRIGGER changes_guard_update BEFORE UPDATE ON office_auditentry "
        "FOR EACH STATEMENT EXECUTE FUNCTION changes_guard()",
    ],
}


def execute(schema_editor: Any, *statements: dict[str, list[str]]) -> None:
    for each in statements:
        for statement in each[schema_editor.connection.vendor]:
            schema_editor.execute(statement)


def allow_removal(apps: Any, schema_editor: Any) -> None:
    """From now on personal data can be removed from entries, and nothing else changed."""
    execute(schema_editor, DROP, REFUSE_DELETE, ALLOW_REMOVAL)


def refuse_updates(apps: Any, schema_editor: Any) -> None:
    """As before: no change at all."""
    execute(schema_editor, DROP, REFUSE_DELETE, REFUSE_UPDATE)


class Migration(migrations.Migration):
    dependencies = [("office", "0004_acts_of_tokens")]
    operations = [migrations.RunPython(allow_removal, refuse_updates)]
