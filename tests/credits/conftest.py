"""A team with two members and money, and a way to let many threads at it at once."""

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
    """After every test of money the books are right, except where it spoils them itself."""
    uses_money = "db" in request.fixturenames and "spoiled" not in request.fixturenames
    if uses_money:
        request.getfixturevalue("db")  # first, so that it is still open afterwards
    yield
    if uses_money:
        assert integrity_check.problems() == []


@pytest.fixture
def together():
    """Run calls at the same moment, a thread and a connection each; what they returned or raised."""

    def run(*calls):
        start = threading.Barrier(len(calls))

        def one(call):
            start.wait()
            try:
                return call()
            except ledger.LedgerError as problem:
                return problem
            finally:
                connections.close_all()

        with ThreadPoolExecutor(len(calls)) as threads:
            return list(threads.map(one, calls))

    return run
