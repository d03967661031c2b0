"""Which tests run on both databases when the gate runs both: those that ask one.

A browser's journey takes half a minute to start a portal, so each is made on one database, and the main job
on both. What needs no database, or starts a portal on its own, runs beside SQLite. `pytest` by itself leaves
nothing out.
"""

from __future__ import annotations

import os

import pytest

SHARED = "SDWEB_TEST_SHARED"  # set by the gate if the other database is tested beside this one
ON_BOTH = {"test_main_job"}
ON_POSTGRESQL = {"test_library", "test_sharing", "test_team", "test_wire", "test_zip", "test_chaos"}
ASKS_A_DATABASE = {"db", "transactional_db"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave to the other run what it has."""
    if not os.environ.get(SHARED):
        return
    is_postgresql = os.environ.get("SDWEB_TEST_DATABASE") == "postgresql"
    mine = [item for item in items if _runs_on_both(item) or _is_for_postgresql(item) == is_postgresql]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(mine)])
    items[:] = mine


def _runs_on_both(item: pytest.Item) -> bool:
    if item.path.stem in ON_BOTH:
        return True
    fixtures = set(getattr(item, "fixturenames", ()))
    asks = item.get_closest_marker("django_db") or fixtures & ASKS_A_DATABASE
    return bool(asks) and item.path.parent.name not in {"journeys", "chaos"}


def _is_for_postgresql(item: pytest.Item) -> bool:
    return item.path.stem in ON_POSTGRESQL and item.path.parent.name in {"journeys", "chaos"}
