"""A team with two members and credits, and a fixture that runs calls concurrently."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from generations.credits import integrity_check, ledger
from generations.office.members import service as members_service
from generations.teams import users as teams_users


@pytest.fixture
def team(db):
    return members_service.create_team("Studio")


@pytest.fixture
def member(team):
    """A member with 100 credits; the pool has 50."""
    user = teams_users.create(email="mei@example.org")
    member = members_service.add_member(user=user, team=team, granted=100_00)
    ledger.issue(team=team, amount=50_00, reference=uuid.uuid4())
    return member


@pytest.fixture
def colleague(team):
    user = teams_users.create(email="tom@example.org")
    return members_service.add_member(user=user, team=team, granted=100_00)


@pytest.fixture(autouse=True)
def exact_ledger(request):
    """After every test the ledger must be exact, unless the test corrupts it."""
    uses_ledger = "db" in request.fixturenames and "corrupted" not in request.fixturenames
    if uses_ledger:
        request.getfixturevalue("db")  # first, so that it is still open afterwards
    yield
    if uses_ledger:
        assert integrity_check.problems() == []


@pytest.fixture
def concurrently():
    """Run calls at the same moment, each in its own thread and connection; return their results or errors."""

    def run(*calls):
        start = threading.Barrier(len(calls))

        def run_one(call):
            start.wait()
            try:
                return call()
            except ledger.LedgerError as error:
                return error
            finally:
                connections.close_all()

        with ThreadPoolExecutor(len(calls)) as threads:
            return list(threads.map(run_one, calls))

    return run
