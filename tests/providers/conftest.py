from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from generations.providers import open_provider
from generations.providers.base import Done, ImageRequest, InputImage, Provider
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


def start_image(data: bytes | None) -> tuple[InputImage, ...]:
    """The inputs of a request with this start image, or with none."""
    kinds = {b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}
    kind = next((kinds[start] for start in kinds if data and data.startswith(start)), "image/png")
    return () if data is None else (InputImage("image", data, kind),)


@pytest.fixture
def draw(provider: Provider) -> Callable[..., Done]:
    def draw(
        model: str = "core", image: bytes | None = None, timeout: float = 5, **parameters: object
    ) -> Done:
        request = ImageRequest(model, {"prompt": "a harbour"} | parameters, start_image(image))
        return provider.submit(request, timeout=timeout)

    return draw
