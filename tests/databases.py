"""A pytest plugin: which tests run on both databases.

All tests run on PostgreSQL. SQLite is tested with `--where-sql-differs`, which leaves the tests whose SQL
is not the same on both: what takes rows from a queue, moves credits, searches, and adds up by day. Their
pages, and what Redis does, are the same on both; `make test-all` runs everything on both.
`pytest` by itself leaves out only what is marked slow.
"""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ON_BOTH = """
    api/test_idempotency.py
    core/test_one_message.py
    core/test_prepared_queries.py
    core/test_write_together.py
    credits
    jobs/engine
    jobs/live/test_ended.py
    jobs/live/test_sse.py
    jobs/monitoring
    jobs/reconciliation
    jobs/test_cancel_all.py
    jobs/test_submission.py
    journeys/test_main_job.py
    library/bulk/test_actions.py
    library/bulk/test_service.py
    library/images/test_service.py
    library/maintenance/test_seed.py
    library/organise/test_service.py
    library/search
    library/trash/test_purge.py
    office/backup/test_backup.py
    office/backup/test_restore.py
    office/invitations/test_concurrent_acceptance.py
    office/members/test_concurrent_changes.py
    office/reports/test_ledger.py
    office/reports/test_overview.py
    sdweb/db/test_sqlite.py
    upstreams/test_accounts.py
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    """One option."""
    parser.addoption(
        "--where-sql-differs", action="store_true", help="run only the tests that run on both databases"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect nothing else: one database shows as much as two."""
    places = [TESTS / name for name in ON_BOTH.split()]
    if missing := [str(place) for place in places if not place.exists()]:
        raise pytest.UsageError(f"tests/databases.py names what is not there: {', '.join(missing)}")
    if config.getoption("--where-sql-differs"):
        config.args = [str(place) for place in places]
