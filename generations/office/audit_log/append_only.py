"""Triggers of the audit log: entries are added, and never changed but to remove personal data.

An UPDATE may only make the network address empty, or an entry's subject, or take `email` and `name` out of
the values before and after. Nothing may be deleted. A migration that changes the table creates them again
with statements of its own (`migrations/0005_personal_data_in_changes.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from generations.credits.append_only import AppendOnlyTriggers

PERMANENT = ("id", "team_id", "actor_id", "act", "member_id", "note", "at")


@dataclass(frozen=True)
class AuditLogTriggers(AppendOnlyTriggers):
    """The triggers of the table of audit entries."""

    @property
    def create(self) -> dict[str, list[str]]:
        """SQL statements that create the triggers, by database vendor."""
        refused = f"RAISE EXCEPTION '{self.message}' USING ERRCODE = 'restrict_violation'"
        return {
            "sqlite": [
                f"CREATE TRIGGER {self.name}_UPDATE BEFORE UPDATE ON {self.table} "
                f"WHEN NOT ({_removes_only('IS', _sqlite_without)}) "
                f"BEGIN SELECT RAISE(ABORT, '{self.message}'); END",
                f"CREATE TRIGGER {self.name}_DELETE BEFORE DELETE ON {self.table} "
                f"BEGIN SELECT RAISE(ABORT, '{self.message}'); END",
            ],
            "postgresql": [
                f"CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN {refused}; END $$",
                f"CREATE TRIGGER {self.name} BEFORE DELETE OR TRUNCATE ON {self.table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {self.name}()",
                f"CREATE OR REPLACE FUNCTION {self.name}_update() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN IF {_removes_only('IS NOT DISTINCT FROM', _postgresql_without)} "
                f"THEN RETURN NEW; END IF; {refused}; END $$",
                f"CREATE TRIGGER {self.name}_update BEFORE UPDATE ON {self.table} "
                f"FOR EACH ROW EXECUTE FUNCTION {self.name}_update()",
            ],
        }

    @property
    def drop(self) -> dict[str, list[str]]:
        """SQL statements that drop the triggers, by database vendor."""
        statements = super().drop
        statements["postgresql"].append(f"DROP TRIGGER IF EXISTS {self.name}_update ON {self.table}")
        return statements


def _removes_only(equals: str, without: dict[str, str]) -> str:
    """The SQL condition of an UPDATE that removes personal data and changes nothing else."""
    conditions = [f"NEW.{column} {equals} OLD.{column}" for column in PERMANENT]
    conditions.append(f"(NEW.address IS NULL OR NEW.address {equals} OLD.address)")
    conditions.append("(NEW.subject = '' OR NEW.subject = OLD.subject)")
    conditions += [
        f'(NEW."{column}" = OLD."{column}" OR {expression})' for column, expression in without.items()
    ]
    return " AND ".join(conditions)


_sqlite_without = {
    column: f"json(NEW.\"{column}\") = json_remove(OLD.\"{column}\", '$.email', '$.name')"
    for column in ("before", "after")
}
_postgresql_without = {
    column: f"NEW.\"{column}\" = OLD.\"{column}\" - 'email' - 'name'" for column in ("before", "after")
}
