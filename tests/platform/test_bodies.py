"""No request makes the portal read more than a page could send."""

import asyncio
import json

from sdweb.body_limit import bounded


def exchange(headers, chunks, largest=100, path="/"):
    """What an application behind the door received, and what was answered."""
    received, answered, left = [], [], list(chunks)

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
        answered.append(message)

    asyncio.run(
        bounded(application, largest)({"type": "http", "headers": headers, "path": path}, receive, send)
    )
    return received, answered


def test_a_body_that_says_it_is_too_large_is_refused_unread():
    received, answered = exchange([(b"content-length", b"101")], [b"x" * 101])
    assert received == []
    assert answered[0]["status"] == 413


def test_the_refusal_is_as_safe_to_show_as_any_page():
    _, answered = exchange([(b"content-length", b"101")], [b"x" * 101])
    headers = dict(answered[0]["headers"])
    assert b"default-src 'none'" in headers[b"content-security-policy"]
    assert headers[b"x-content-type-options"] == b"nosniff"


def test_a_program_sends_ten_mebibytes_at_most_and_is_told_so_in_json():
    largest = 10 * 1024 * 1024
    length = [(b"content-length", str(largest + 1).encode())]
    received, answered = exchange(length, [b"x"], largest=1 << 30, path="/api/v1/uploads")
    assert received == []
    assert json.loads(answered[1]["body"])["error"]["code"] == "too_large"
    assert exchange(length, [b"x"], largest=1 << 30)[1] == []  # a page may send more
    chunks = [b"x" * largest, b"x"]
    received, _ = exchange([], chunks, largest=1 << 30, path="/api/v1/uploads")
    assert [message["type"] for message in received] == ["http.request", "http.disconnect"]


def test_a_length_that_is_no_number_is_refused():
    _, answered = exchange([(b"content-length", b"-5")], [b"x"])
    assert answered[0]["status"] == 413


def test_a_body_without_a_length_is_cut_where_it_becomes_too_large():
    received, _ = exchange([], [b"x" * 60, b"x" * 60, b"x" * 60])
    assert [message["type"] for message in received] == ["http.request", "http.disconnect"]


def test_a_body_that_fits_passes_whole():
    received, answered = exchange([(b"content-length", b"100")], [b"x" * 60, b"x" * 40])
    assert sum(len(message["body"]) for message in received) == 100
    assert answered == []
