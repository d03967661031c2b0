"""Every migration, from the first to the last, runs over a database whose tables have rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps as newest
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from generations.library.models import SearchEntry
from generations.library.search.terms import TermQuery
from tests.fresh_database import fresh_database
from tests.migrations.rows import IMAGE, ROWS, TRASHED

OURS = {config.label for config in newest.get_app_configs() if config.name.startswith("generations.")}
RENAMED = {  # columns that a migration renamed, by table
    "jobs_generation": {
        "stamp": "virtual_start",
        "waited_out": "excused_wait",
        "tries": "busy_calls",
        "unknowns": "unknown_calls",
        "called_at": "first_called_at",
        "started_at": "claimed_at",
    }
}
Row = dict[str, Any]


class Filler:
    """Fills tables as soon as there are any, and remembers how their rows were."""

    def __init__(self) -> None:
        self.waiting = dict(ROWS)
        self.before: list[tuple[str, str, Row]] = []  # table, primary key's column, row

    def fill(self, models: dict[str, Any]) -> None:
        """Add the rows of the tables that are new."""
        for label in [label for label in self.waiting if label in models]:
            for fields in self.waiting.pop(label):
                made = models[label](**fields)
                made.save(force_insert=True)
                table, key = made._meta.db_table, made._meta.pk.column
                self.before.append(
                    (table, key, row(table, key, made._meta.pk.get_db_prep_value(made.pk, connection)))
                )


@pytest.fixture
def filled(transactional_db: None) -> Iterator[Filler]:
    """A database that was migrated step by step, every table filled before the step after its first."""
    filler = Filler()
    with fresh_database():
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        state = executor._create_project_state(with_applied_migrations=True)
        for step in plan:
            state = executor.migrate(None, [step], state)
            models = {model._meta.label: model for model in state.apps.get_models(include_auto_created=True)}
            filler.fill(models)
            empty = {label for label, model in models.items() if is_ours(model) and not has_rows(model)}
            assert empty == set(), f"After {step[0]}: give these tables a row in tests/migrations/rows.py."
        yield filler


def test_rows_outlive_every_migration_and_keep_what_they_say(filled: Filler) -> None:
    assert filled.waiting == {}
    assert len(filled.before) >= len(ROWS)
    for table, key, before in filled.before:
        after = row(table, key, before[key])
        assert after is not None, f"{table} {before[key]}"
        expected = {RENAMED.get(table, {}).get(name, name): value for name, value in before.items()}
        kept = expected.keys() & after.keys()
        assert {name: after[name] for name in kept} == {name: expected[name] for name in kept}
    assert_search_finds_what_was_there_before_it()
    assert_what_is_permanent_cannot_be_changed("credits_transfer", "note")
    assert_what_is_permanent_cannot_be_changed("office_auditentry", "note")


def assert_search_finds_what_was_there_before_it() -> None:
    """And the database follows each line, those that were there before their index as well."""
    found = SearchEntry.objects.filter(document__matches=TermQuery(("harbour", "朝")))
    assert [entry.image_id for entry in found] == [IMAGE]
    assert SearchEntry.objects.get(document__matches=TermQuery(("lighthouse",))).image_id == TRASHED


def assert_what_is_permanent_cannot_be_changed(table: str, column: str) -> None:
    for statement in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}"):
        with pytest.raises(DatabaseError, match="never"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def is_ours(model: Any) -> bool:
    return model._meta.app_label in OURS


def has_rows(model: Any) -> bool:
    return bool(model._base_manager.exists())


def row(table: str, key: str, value: object) -> Row | None:
    """The row as the database has it, by column."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} WHERE {key} = %s", [value])
        found = cursor.fetchone()
        return found and dict(zip([column[0] for column in cursor.description], found, strict=True))
