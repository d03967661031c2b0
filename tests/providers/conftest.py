from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from generations.providers import open_provider
from generations.providers.base import Done, ImageRequest, Provider
from tests.providers.fake_provider import KEY, FakeProvider


@pytest.fixture
def fake_provider() -> Iterator[FakeProvider]:
    server = FakeProvider()
    yield server
    server.close()
    assert not server.problems


@pytest.fixture
def provider(fake_provider: FakeProvider) -> Provider:
    return open_provider("stability", fake_provider.address, KEY)


@pytest.fixture
def draw(provider: Provider) -> Callable[..., Done]:
    def draw(
        model: str = "core", image: bytes | None = None, timeout: float = 5, **parameters: object
    ) -> Done:
        request = ImageRequest(model, {"prompt": "a harbour"} | parameters, image)
        return provider.generate(request, timeout=timeout)

    return draw
