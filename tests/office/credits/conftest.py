"""Every test about credits leaves a ledger without errors."""

import pytest

from generations.credits import integrity_check


@pytest.fixture(autouse=True)
def consistent_ledger(db):
    yield
    assert integrity_check.problems() == []
