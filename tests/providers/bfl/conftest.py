from __future__ import annotations

import pytest

from generations.providers.bfl.client import Flux
from tests.providers.fake_provider import KEY, FakeProvider


@pytest.fixture
def maker(fake_provider: FakeProvider) -> Flux:
    return Flux(fake_provider.address, KEY)


@pytest.fixture
def gateway(fake_provider: FakeProvider) -> Flux:
    return Flux(f"{fake_provider.address}/flux", KEY, at_gateway=True)
