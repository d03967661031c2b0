"""API clients of a member and of an owner."""

from __future__ import annotations

import pytest

from tests.api.client import ApiClient


@pytest.fixture
def api(member):
    return ApiClient(member)
