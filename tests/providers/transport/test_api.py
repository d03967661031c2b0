"""Requests to an API with a key, and the JSON of its answers."""

from __future__ import annotations

import base64
import json

import pytest

from generations.providers.transport import json_body
from generations.providers.transport.api import Api
from tests.providers.fake_provider import KEY, error, response


@pytest.mark.parametrize(
    ("options", "header", "value"),
    [
        ({}, "authorization", f"Bearer {KEY}"),
        ({"key_header": "x-key", "key_scheme": ""}, "x-key", KEY),
        ({"key_header": "x-key", "key_scheme": "", "at_gateway": True}, "authorization", f"Bearer {KEY}"),
    ],
)
def test_the_key_goes_in_the_makers_header_and_at_a_gateway_as_bearer(fake_provider, options, header, value):
    fake_provider.plan = [error(200, {"ok": True})]
    api = Api(fake_provider.address + "/flux/", KEY, client_id="portal", **options)
    assert json_body.parse_object(api.post("/v1/x", timeout=5, json={"prompt": "a"}).body) == {"ok": True}
    [request] = fake_provider.requests
    assert request.path == "/flux/v1/x"
    assert request.headers[header] == value
    assert request.headers["user-agent"] == "portal"
    assert [name for name in request.headers if KEY in request.headers[name]] == [header]
    assert KEY not in repr(api)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_many_megabytes_of_base64_are_read_with_every_status_of_success(fake_provider, status):
    data = base64.b64encode(bytes(24_000_000)).decode()
    fake_provider.plan = [response(status, json.dumps({"data": [{"b64_json": data}]}).encode())]
    reply = Api(fake_provider.address, KEY).get("/v1/x", timeout=20, params={"id": "7"})
    assert json_body.value(json_body.parse(reply.body), "data", 0, "b64_json") == data


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"\xff", b"[" * 90_000, b"null", b"1" * 5_000])
def test_what_is_no_object_is_read_as_an_empty_one(body):
    assert json_body.parse_object(body) == {}


def test_a_large_answer_of_many_small_values_is_not_read():
    assert json_body.parse(b'{"data": [' + b"1," * 13_000_000 + b"1]}") is None


def test_values_are_found_by_their_path():
    data = {"data": [{"url": "https://x/", "cost": "0.5"}], "n": True, "big": "9" * 400}
    assert json_body.text(data, "data", 0, "url") == "https://x/"
    assert json_body.text(data, "data", 0, "url", most=3) == ""
    assert json_body.text(data, "data", 1, "url") == json_body.text(data, "n", "x") == ""
    assert json_body.number(data, "data", 0, "cost") == 0.5
    assert json_body.number(data, "n") is json_body.number(data, "big") is None
