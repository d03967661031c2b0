from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from generations.providers import open_provider
from generations.providers.base import Done, ImageRequest, Provider
from tests.providers.stand_in import KEY, StandIn


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    server = StandIn()
    yield server
    server.close()
    assert not server.problems


@pytest.fixture
def provider(stand_in: StandIn) -> Provider:
    return open_provider("stability", stand_in.address, KEY)


@pytest.fixture
def draw(provider: Provider) -> Callable[..., Done]:
    def draw(
        model: str = "core", image: bytes | None = None, timeout: float = 5, **parameters: object
    ) -> Done:
        request = ImageRequest(model, {"prompt": "a harbour"} | parameters, image)
        return provider.generate(request, timeout=timeout)

    return draw
