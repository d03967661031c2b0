"""Triggers that make a table append-only: the database refuses UPDATE, DELETE and TRUNCATE.

SQLite silently drops a table's triggers when a migration rebuilds the table, so a migration that alters an
append-only table must create them again, with statements of its own (`migrations/_ledger_guard.py`).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class AppendOnlyTriggers:
    """The triggers of one table. `message` is the text of the database error; it has no apostrophes."""

    table: str
    name: str
    message: str

    @property
    def create(self) -> dict[str, list[str]]:
        """SQL statements that create the triggers, by database vendor."""
        return {
            "sqlite": [
                f"CREATE TRIGGER {self.name}_{verb} BEFORE {verb} ON {self.table} "
                f"BEGIN SELECT RAISE(ABORT, '{self.message}'); END"
                for verb in ("UPDATE", "DELETE")
            ],
            "postgresql": [
                f"CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{self.message}' USING ERRCODE = 'restrict_violation'; END $$",
                f"CREATE TRIGGER {self.name} BEFORE UPDATE OR DELETE OR TRUNCATE ON {self.table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {self.name}()",
            ],
        }

    @property
    def drop(self) -> dict[str, list[str]]:
        """SQL statements that drop the triggers, by database vendor."""
        return {
            "sqlite": [f"DROP TRIGGER IF EXISTS {self.name}_{verb}" for verb in ("UPDATE", "DELETE")],
            "postgresql": [f"DROP TRIGGER IF EXISTS {self.name} ON {self.table}"],
        }


LEDGER = AppendOnlyTriggers("credits_transfer", "ledger_guard", "Ledger lines are added, never changed.")
