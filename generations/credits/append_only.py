"""What makes rows permanent: the database itself refuses to change or remove one.

SQLite drops a table's triggers without a word when a migration rebuilds the table, so a migration
that alters a guarded table puts them up again, with statements of its own (`migrations/_ledger_guard.py`).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Guard:
    """The triggers of one table. `says` is the sentence of the database's error; without apostrophes."""

    table: str
    name: str
    says: str

    @property
    def set(self) -> dict[str, list[str]]:
        """The statements that put the triggers up, by database."""
        return {
            "sqlite": [
                f"CREATE TRIGGER {self.name}_{verb} BEFORE {verb} ON {self.table} "
                f"BEGIN SELECT RAISE(ABORT, '{self.says}'); END"
                for verb in ("UPDATE", "DELETE")
            ],
            "postgresql": [
                f"CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{self.says}' USING ERRCODE = 'restrict_violation'; END $$",
                f"CREATE TRIGGER {self.name} BEFORE UPDATE OR DELETE OR TRUNCATE ON {self.table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {self.name}()",
            ],
        }

    @property
    def lift(self) -> dict[str, list[str]]:
        """The statements that take them down, by database."""
        return {
            "sqlite": [f"DROP TRIGGER IF EXISTS {self.name}_{verb}" for verb in ("UPDATE", "DELETE")],
            "postgresql": [f"DROP TRIGGER IF EXISTS {self.name} ON {self.table}"],
        }


LEDGER = Guard("credits_transfer", "ledger_guard", "Ledger lines are added, never changed.")
SET, LIFT = LEDGER.set, LEDGER.lift
