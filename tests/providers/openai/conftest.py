from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from generations.core import multipart
from generations.core.multipart import Part
from generations.providers.base import Done, ImageRequest, InputImage
from generations.providers.openai.client import OpenAI
from tests.providers.fake_provider import KEY, FakeProvider, error, make_image

PICTURE = make_image()
TEXT = base64.b64encode(PICTURE).decode()
MODEL = "gpt-image-2.6-flare"


def answer(*entries: dict[str, Any], **more: Any) -> bytes:
    """An answer of status 200 with these entries of `data`, by default one picture as the maker sends it."""
    return error(
        200, {"created": 1, "data": list(entries or ({"b64_json": TEXT},)), **more}, x_request_id="r-1"
    )


def refusal(
    status: int, code: str | None, message: str = "told", kind: str = "invalid_request_error"
) -> bytes:
    return error(status, {"error": {"message": message, "type": kind, "param": None, "code": code}})


def parts_of(request: Any) -> list[Part]:
    """The parts of a form that arrived, in order."""
    size = len(request.body)
    parts = multipart.parse(request.headers["content-type"], request.body, max_size=size, max_parts=100)
    assert parts is not None
    return parts


def texts_of(request: Any) -> dict[str, str]:
    return {part.name: part.data.decode() for part in parts_of(request) if part.file_name is None}


def body_of(request: Any) -> dict[str, Any]:
    return dict(json.loads(request.body))


@pytest.fixture
def openai(fake_provider: FakeProvider) -> OpenAI:
    """An account at the maker."""
    return OpenAI(fake_provider.address, KEY)


@pytest.fixture
def gateway(fake_provider: FakeProvider) -> OpenAI:
    """An account at a gateway, whose server is the same."""
    return OpenAI(fake_provider.address, KEY, at_gateway=True)


@pytest.fixture
def draw(fake_provider: FakeProvider, openai: OpenAI) -> Callable[..., Done]:
    """Ask for a picture: draw(model=..., answered=..., inputs=..., by=..., quality="low")."""

    def draw(
        model: str = MODEL,
        *,
        answered: bytes | None = None,
        inputs: tuple[InputImage, ...] = (),
        by: OpenAI = openai,
        **parameters: Any,
    ) -> Done:
        fake_provider.plan = [answer() if answered is None else answered]
        done = by.submit(ImageRequest(model, {"prompt": "a harbour"} | parameters, inputs), timeout=5)
        assert isinstance(done, Done)
        return done

    return draw
