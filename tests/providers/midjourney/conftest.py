from __future__ import annotations

import pytest

from generations.providers import open_provider
from generations.providers.base import Provider
from tests.providers.fake_provider import KEY, FakeProvider
from tests.providers.midjourney.answers import in_dialect


@pytest.fixture(params=["newapi", "plus", "original"])
def dialect(request) -> str:
    return request.param


@pytest.fixture
def proxy(fake_provider: FakeProvider, dialect: str) -> Provider:
    """An account in each of the dialects."""
    return open_provider("midjourney", fake_provider.address, KEY, systems=in_dialect(dialect))


@pytest.fixture
def relay(fake_provider: FakeProvider) -> Provider:
    """An account at new-api."""
    return open_provider("midjourney", fake_provider.address, KEY, systems=in_dialect("newapi"))
