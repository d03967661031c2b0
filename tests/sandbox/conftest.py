"""Sandbox providers without latency, and a client for them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from PIL import Image

from tests import sandboxes
from tests.sandboxes import KEY, Sandbox

SDXL = "stable-diffusion-xl-1024-v1-0"
DUMMY = {"none": ""}
OTHER_KEY = "sk-another-key-for-tests"


class Client:
    """Calls the sandbox with the right key."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.headers = {"authorization": f"Bearer {KEY}"}

    def generate(
        self,
        endpoint: str = "core",
        *,
        prompt: str | None = "a quiet harbour",
        image: bytes | None = None,
        accept: str = "image/*",
        prefix: str = "",
        **fields: Any,
    ) -> requests.Response:
        texts = {
            name: str(value) for name, value in {"prompt": prompt, **fields}.items() if value is not None
        }
        return requests.post(
            f"{self.sandbox.url}{prefix}/v2beta/stable-image/generate/{endpoint}",
            headers={**self.headers, "accept": accept},
            data=texts,
            files={"image": image} if image else DUMMY,
            timeout=10,
        )

    def post(
        self, path: str, files: dict[str, bytes] | None = None, *, accept: str = "image/*", **fields: Any
    ) -> requests.Response:
        """Call a service: `edit/erase` and the like below v2beta, or a whole path."""
        return requests.post(
            self.sandbox.url + (path if path.startswith("/") else f"/v2beta/stable-image/{path}"),
            headers={**self.headers, "accept": accept},
            data={name: str(value) for name, value in fields.items()},
            files=files or DUMMY,
            timeout=20,
        )

    def result(self, task: str, *, accept: str = "*/*") -> requests.Response:
        """Ask for the result of a task."""
        url = f"{self.sandbox.url}/v2beta/results/{task}"
        return requests.get(url, headers={**self.headers, "accept": accept}, timeout=10)

    def generate_v1(self, engine: str = SDXL, accept: str = "", **values: Any) -> requests.Response:
        values.setdefault("text_prompts", [{"text": "a quiet harbour"}])
        return requests.post(
            f"{self.sandbox.url}/v1/generation/{engine}/text-to-image",
            headers={**self.headers, "accept": accept or "application/json"},
            json=values,
            timeout=10,
        )

    def get(self, path: str) -> requests.Response:
        return requests.get(f"{self.sandbox.url}{path}", headers=self.headers, timeout=10)


def opened(data: bytes) -> Image.Image:
    """Return a completely decoded image."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def encoded(image: Image.Image, kind: str = "png") -> bytes:
    """Return an encoded image."""
    target = io.BytesIO()
    image.save(target, kind)
    return target.getvalue()


def picture(size: tuple[int, int] = (640, 480), kind: str = "png") -> bytes:
    """Return an encoded start image."""
    return encoded(Image.linear_gradient("L").convert("RGB").resize(size), kind)


@pytest.fixture(scope="session")
def drawing_sandbox() -> Iterator[Sandbox]:
    with sandboxes.running("--latency", "0", "--key", f"{KEY},{OTHER_KEY}") as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def plain_sandbox() -> Iterator[Sandbox]:
    with sandboxes.running("--latency", "0", "--plain") as sandbox:
        yield sandbox


@pytest.fixture
def artist(drawing_sandbox: Sandbox) -> Client:
    drawing_sandbox.reset()
    return Client(drawing_sandbox)


@pytest.fixture
def client(plain_sandbox: Sandbox) -> Client:
    plain_sandbox.reset()
    plain_sandbox.state(penalty=60, strict=False)
    return Client(plain_sandbox)
