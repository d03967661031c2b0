"""Write transactions of many threads on SQLite; PostgreSQL needs no lock of ours."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from generations.teams.models import Team

THREADS = 30

pytestmark = pytest.mark.django_db(transaction=True)


def test_concurrent_writers_wait_for_the_lock_and_never_find_the_database_locked(team):
    """SQLite's own busy timeout is 0, so that only our lock can make threads wait."""

    def write(number: int) -> None:
        try:
            with connection.cursor() as cursor:
                if connection.vendor == "sqlite":
                    cursor.execute("PRAGMA busy_timeout = 0")
            with transaction.atomic():
                Team.objects.filter(pk=team.pk).update(name=f"Studio {number}")
                time.sleep(0.01)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(write, range(THREADS)))
    team.refresh_from_db()
    assert team.name.startswith("Studio ")


def test_a_failed_transaction_releases_the_lock(team):
    def fail() -> None:
        with contextlib.suppress(LookupError), transaction.atomic():
            {}["nothing"]
        connection.close()

    with ThreadPoolExecutor(1) as threads:
        threads.submit(fail).result()
    began = time.monotonic()
    with transaction.atomic():
        Team.objects.filter(pk=team.pk).update(name="Studio South")
    assert time.monotonic() - began < 5
