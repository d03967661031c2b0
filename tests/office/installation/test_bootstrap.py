"""A start after the first one finds its tables as they are."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from generations.office.installation import bootstrap

pytestmark = pytest.mark.django_db


# Of rooms and of a library, the first of many and the last.
@pytest.mark.parametrize("label", ["jobs", "library", "sessions"])
@pytest.mark.parametrize("which", [0, -1])
def test_a_database_is_migrated_when_every_migration_there_is_was_applied(label, which):
    assert bootstrap.is_migrated()
    applied = sorted(MigrationRecorder(connection).applied_migrations())
    MigrationRecorder(connection).record_unapplied(*[each for each in applied if each[0] == label][which])
    assert not bootstrap.is_migrated()


def test_a_start_migrates_what_is_missing_and_nothing_else(monkeypatch):
    commands = []
    monkeypatch.setattr(bootstrap, "call_command", lambda name, **_options: commands.append(name))
    bootstrap.prepare_database()
    assert commands == ["createcachetable"]
    MigrationRecorder(connection).record_unapplied("jobs", "0001_initial")
    bootstrap.prepare_database()
    assert commands == ["createcachetable", "migrate", "createcachetable"]


def test_migrations_of_an_older_release_do_not_count_against_it():
    MigrationRecorder(connection).record_applied("jobs", "0001_of_long_ago")
    assert bootstrap.is_migrated()
