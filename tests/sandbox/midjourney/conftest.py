from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from generations.providers import open_provider
from generations.providers.base import Accepted, Done, ImageRequest, Output, Provider
from tests.providers.midjourney.answers import in_dialect
from tests.sandboxes import KEY

PATHS = {"newapi": "", "plus": "/plus", "original": "/original"}


@pytest.fixture(params=PATHS)
def dialect(request) -> str:
    return request.param


@pytest.fixture
def account(client, dialect) -> Provider:
    """An account in each of the dialects, of a sandbox that refuses unknown fields."""
    client.sandbox.state(strict=True)
    return open_provider("midjourney", client.sandbox.url + PATHS[dialect], KEY, systems=in_dialect(dialect))


@pytest.fixture
def relay(client) -> Provider:
    client.sandbox.state(strict=True)
    return open_provider("midjourney", client.sandbox.url, KEY, systems=in_dialect("newapi"))


def finished(account: Provider, request: ImageRequest) -> Output:
    """The result of an order, without the seconds between polls."""
    result = account.submit(request, timeout=30)
    deadline = time.monotonic() + 60
    while isinstance(result, Accepted) and time.monotonic() < deadline:
        time.sleep(0.05)
        result = account.poll(result.task, timeout=30)
    assert isinstance(result, Done)
    [output] = result.outputs
    return output


Finish = Callable[[Provider, ImageRequest], Output]
