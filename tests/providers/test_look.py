"""What a gateway sells, found by questions that cost nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from generations.providers.base import Busy, Unavailable
from generations.providers.look import look
from generations.providers.registry import Switch
from tests.providers.fake_provider import KEY

Answers = dict[str, tuple[int, object]]
UNKNOWN = (404, {"error": {"message": "Invalid URL (GET /x)", "type": "invalid_request_error"}})


@pytest.fixture
def gateway() -> Iterator[Callable[[Answers], tuple[str, list[str]]]]:
    """A gateway that has these addresses, and says of others that it does not know them."""
    servers: list[ThreadingHTTPServer] = []

    def start(answers: Answers) -> tuple[str, list[str]]:
        asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(f"{self.command} {self.path} {self.headers['authorization']}")
                status, data = answers.get(self.path, UNKNOWN)
                body = data if isinstance(data, bytes) else json.dumps(data).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/base", asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


MODELS = {
    "/base/v1/models": (200, {"data": [{"id": "core"}, {"id": "Maker/SDXL"}, {"id": "gpt-image-2"}, {}, 5]}),
    "/base/api/pricing": (
        200,
        {
            "data": [
                {"model_name": "core", "quota_type": 1, "model_price": 0.0312},
                {"model_name": "Maker/SDXL", "quota_type": 1, "model_price": "0.01"},
                {"model_name": "gpt-image-2", "quota_type": 0, "model_price": 7},
                {"model_name": "ultra", "quota_type": 1, "model_price": 1e9},
            ]
        },
    ),
}


def test_models_prices_and_prefixes_are_proposed(gateway):
    address, asked = gateway(MODELS | {"/base/sd/v1/user/balance": (200, {"credits": 3})})
    found = look(address, KEY)
    assert found.systems["stability"] == Switch("/sd")
    assert set(found.models) == {"core", "sdxl", "gpt-image-2"}
    assert found.wire_names == {"sdxl": "Maker/SDXL"}
    assert found.costs == {"core": 312, "sdxl": 100}
    assert found.listed == 3
    assert all(line.startswith("GET ") and line.endswith(f"Bearer {KEY}") for line in asked)


def test_a_relay_of_midjourney_is_found_by_its_own_names_and_its_word_for_an_unknown_task(gateway):
    unknown = (400, {"description": "task_no_found ", "type": "upstream_error", "code": 4})
    price = {"model_name": "mj_imagine", "quota_type": 1, "model_price": 0.06}
    address, _asked = gateway(
        {
            "/base/v1/models": (200, {"data": [{"id": "mj_imagine"}, {"id": "swap_face"}]}),
            "/base/api/pricing": (200, {"data": [price]}),
            "/base/mj/task/0/fetch": unknown,
        }
    )
    found = look(address, KEY)
    assert found.systems == {"midjourney": Switch("")}, "in the usual dialect"
    assert set(found.models) == {"midjourney", "niji-journey", "insight-face-swap"}
    assert found.costs == {"midjourney": 600, "niji-journey": 600}


def test_a_system_is_found_by_its_address_alone_and_under_another_prefix(gateway):
    address, _asked = gateway({"/base/v1/user/balance": (200, {"credits": 3})})
    found = look(address, KEY)
    assert found.systems == {"stability": Switch("")}
    assert "ultra" in found.models
    assert found.costs == {}


@pytest.mark.parametrize(
    "answer",
    [
        UNKNOWN,
        (404, {"detail": "Not Found"}),
        (404, b"<html>"),
        (200, b"<html>"),
        (501, {"error": {"message": "x"}}),
        (502, b""),
    ],
)
def test_an_address_that_is_not_served_is_no_system(gateway, answer):
    address, _asked = gateway(dict.fromkeys(["/base/sd/v1/user/balance", "/base/v1/user/balance"], answer))
    assert look(address, KEY).systems == {}


def test_a_bad_key_and_a_silent_host_are_said(gateway):
    address, _asked = gateway({"/base/v1/models": (401, {"error": {"message": f"bad {KEY}"}})})
    with pytest.raises(Unavailable) as caught:
        look(address, KEY)
    assert KEY not in caught.value.reason
    with pytest.raises(Busy):
        look("http://127.0.0.1:1", KEY)
    with pytest.raises(ValueError, match="address"):
        look("ftp://host", KEY)
