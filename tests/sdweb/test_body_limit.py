"""Request bodies are limited in size."""

import asyncio
import json

from sdweb.body_limit import limit_body


def exchange(headers, chunks, max_body=100, path="/"):
    """Return what an application with a limited body received, and the response."""
    received, response, left = [], [], list(chunks)

    async def application(scope, receive, send):
        while True:
            message = await receive()
            received.append(message)
            if message["type"] == "http.disconnect" or not message.get("more_body"):
                return

    async def receive():
        body = left.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(left)}

    async def send(message):
        response.append(message)

    asyncio.run(
        limit_body(application, max_body)({"type": "http", "headers": headers, "path": path}, receive, send)
    )
    return received, response


def test_a_too_large_content_length_is_refused_without_reading():
    received, response = exchange([(b"content-length", b"101")], [b"x" * 101])
    assert received == []
    assert response[0]["status"] == 413


def test_the_413_response_has_security_headers():
    _, response = exchange([(b"content-length", b"101")], [b"x" * 101])
    headers = dict(response[0]["headers"])
    assert b"default-src 'none'" in headers[b"content-security-policy"]
    assert headers[b"x-content-type-options"] == b"nosniff"


def test_an_api_body_is_limited_to_ten_mebibytes_with_a_json_error():
    limit = 10 * 1024 * 1024
    length = [(b"content-length", str(limit + 1).encode())]
    received, response = exchange(length, [b"x"], max_body=1 << 30, path="/api/v1/uploads")
    assert received == []
    assert json.loads(response[1]["body"])["error"]["code"] == "too_large"
    assert exchange(length, [b"x"], max_body=1 << 30)[1] == []  # a page may send more
    chunks = [b"x" * limit, b"x"]
    received, _ = exchange([], chunks, max_body=1 << 30, path="/api/v1/uploads")
    assert [message["type"] for message in received] == ["http.request", "http.disconnect"]


def test_an_invalid_content_length_is_refused():
    _, response = exchange([(b"content-length", b"-5")], [b"x"])
    assert response[0]["status"] == 413


def test_a_body_without_a_length_is_cut_off_at_the_limit():
    received, _ = exchange([], [b"x" * 60, b"x" * 60, b"x" * 60])
    assert [message["type"] for message in received] == ["http.request", "http.disconnect"]


def test_a_body_within_the_limit_passes():
    received, response = exchange([(b"content-length", b"100")], [b"x" * 60, b"x" * 40])
    assert sum(len(message["body"]) for message in received) == 100
    assert response == []
