"""A start after the first one finds its tables as they are."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from generations.office.installation import bootstrap

pytestmark = pytest.mark.django_db


def test_a_database_is_migrated_when_every_migration_there_is_was_applied():
    assert bootstrap.is_migrated()
    MigrationRecorder(connection).record_unapplied("jobs", "0001_initial")
    assert not bootstrap.is_migrated()


def test_migrations_of_an_older_release_do_not_count_against_it():
    MigrationRecorder(connection).record_applied("jobs", "0001_of_long_ago")
    assert bootstrap.is_migrated()
