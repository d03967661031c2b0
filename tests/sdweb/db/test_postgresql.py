"""Connections to PostgreSQL: options of the address, a restart, time-outs, and how many there are."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import OperationalError
from django.db.utils import ConnectionHandler

from sdweb import server_settings
from sdweb.process import ports
from sdweb.process.program import ChildProcess
from tests import postgresql, services

WORKERS = 4  # as in `docker compose up --scale worker=4`
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
PROCESSES = WORKERS + 2  # and web and upkeep


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[ChildProcess, str]]:
    """A cluster with PostgreSQL's default of 100 connections, and its address."""
    port, folder = ports.free_port(), Path(services.private_folder())
    program = postgresql.cluster(
        folder=folder / "postgresql", port=port, log=folder / "log", max_connections="100"
    )
    child = ChildProcess(program)
    child.start()
    child.wait_until_ready()
    yield child, f"postgres://sdweb@{ports.LOOPBACK}:{port}/postgres"
    child.stop()


Connect = Callable[..., Any]


@pytest.fixture(autouse=True)
def _other_databases_than_the_tests_own_may_be_used(django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def connect(server: tuple[ChildProcess, str]) -> Iterator[Connect]:
    """Django's connections of one process with these options: connect("?sslmode=disable")["it"]."""
    opened = []

    def handler(options: str = "", name: str = "it") -> ConnectionHandler:
        settings = server_settings.database(server[1] + options)
        made = ConnectionHandler(
            {"default": {"ENGINE": "django.db.backends.dummy"}, f"{name}{len(opened)}": settings}
        )
        opened.append((made, f"{name}{len(opened)}"))
        return made

    def one(options: str = "") -> Any:
        made = handler(options)
        alias = opened[-1][1]
        return lambda: made[alias]

    yield one
    for made, alias in opened:
        made[alias].close()
        made[alias].close_pool()


def ask(connection: Any, query: str) -> Any:
    """Run a query as a request does: with a connection of the pool that is given back at the end."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()[0]
    finally:
        connection.close()


def test_options_of_the_address_reach_the_server(connect):
    connection = connect("?application_name=studio&options=-c%20search_path%3Dpg_temp")()
    assert ask(connection, "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()") == (
        "studio"
    )
    assert ask(connection, "SHOW search_path") == "pg_temp"


def test_a_server_that_cannot_be_verified_is_not_used(connect):
    connection = connect("?sslmode=verify-full&sslrootcert=system")()
    pool = connection.settings_dict["OPTIONS"].pop("pool")  # which would try again
    with pytest.raises(OperationalError, match="SSL"):
        ask(connection, "SELECT 1")
    connection.settings_dict["OPTIONS"]["pool"] = pool


def test_services_have_time_outs_and_commands_have_none(connect, monkeypatch):
    names = "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"
    service = connect()()
    assert [ask(service, f"SHOW {name}") for name in names] == ["1min", "20s", "5min"]
    monkeypatch.setenv("DATABASE_STATEMENT_TIMEOUT", "0")
    command = connect()()
    assert [ask(command, f"SHOW {name}") for name in names] == ["0", "0", "0"]


def test_who_waits_for_a_lock_gives_up(connect):
    holder, waiter = connect()(), connect("?options=-c%20lock_timeout%3D100")()
    holder.set_autocommit(False)
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLE pg_description")
    with pytest.raises(OperationalError, match="lock timeout"):
        ask(waiter, "SELECT count(*) FROM pg_description")
    holder.rollback()
    holder.set_autocommit(True)


def at_once(threads: int, connection: Callable[[], Any], query: str) -> list[Any]:
    """Run the query in so many threads at the same time; raises what one of them raises."""
    start = threading.Barrier(threads)

    def run(_: int) -> Any:
        start.wait(30)
        return ask(connection(), query)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def test_a_restart_of_postgresql_costs_no_request_an_error(connect, server):
    connection = connect()
    at_once(8, connection, "SELECT pg_sleep(0.2)")  # fills the pool
    server[0].stop()
    server[0].start()
    server[0].wait_until_ready()
    assert at_once(20, connection, "SELECT 1") == [1] * 20


def test_a_connection_is_tried_before_its_use_only_if_the_server_has_sent_something(connect, monkeypatch):
    monkeypatch.setenv("DATABASE_POOL_SIZE", "1")
    connection, other, tried = connect()(), connect()(), []
    execute = psycopg.Connection.execute

    def noted(self, *arguments, **options):
        tried.append(self.info.backend_pid)
        return execute(self, *arguments, **options)

    monkeypatch.setattr(psycopg.Connection, "execute", noted)
    first, again = (ask(connection, "SELECT pg_backend_pid()") for _ in range(2))
    assert (again, tried) == (first, [])
    assert ask(other, f"SELECT pg_terminate_backend({first}, 30000)")
    assert ask(connection, "SELECT pg_backend_pid()") != first
    assert tried == [first]


def test_requests_wait_while_postgresql_restarts(connect, server):
    connection = connect()
    at_once(8, connection, "SELECT pg_sleep(0.2)")
    server[0].stop()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(lambda: ask(connection(), "SELECT 1")) for _ in range(8)]
        time.sleep(1.5)
        server[0].start()
        assert [each.result(30) for each in waiting] == [1] * 8


def test_four_workers_fit_into_a_hundred_connections(connect, monkeypatch):
    """All pools at their largest, as under load, and a command besides."""
    monkeypatch.delenv("DATABASE_POOL_SIZE", raising=False)  # the tests' own is larger
    processes = [connect() for _ in range(PROCESSES)]
    with ThreadPoolExecutor(PROCESSES) as pool:
        running = [pool.submit(at_once, 40, each, "SELECT pg_sleep(0.5)") for each in processes]
        command, most = connect()(), 0
        while not all(each.done() for each in running):
            most = max(most, ask(command, CONNECTIONS))
        for each in running:
            each.result()
    assert 10 * PROCESSES - 5 < most < 80, most  # and pg_dump, and somebody's psql


def test_the_pool_can_be_made_smaller(connect, monkeypatch):
    monkeypatch.setenv("DATABASE_POOL_SIZE", "2")
    connection = connect("?application_name=small")
    at_once(6, connection, "SELECT pg_sleep(0.05)")
    mine = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'small'"
    assert ask(connection(), mine) == 2
