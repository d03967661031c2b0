"""An API client of a member."""

from __future__ import annotations

import pytest

from tests.api.client import ApiClient


@pytest.fixture
def api(member):
    return ApiClient(member)
