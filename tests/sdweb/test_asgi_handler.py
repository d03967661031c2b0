"""The ASGI handler runs a request on one thread and ends a stream when its client disconnects."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth import get_user_model
from django.db import connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import include, path

from generations.core import asgi
from sdweb import asgi_handler
from sdweb.asgi_handler import SingleThreadHandler

seen: dict[str, object] = {}


def middleware(get_response):
    def answer(request: HttpRequest) -> HttpResponse:
        seen["middleware"] = threading.current_thread()
        return get_response(request)

    return answer


def view(request: HttpRequest) -> HttpResponse:
    get_user_model().objects.exists()
    seen["view"], seen["database"] = threading.current_thread(), connections["default"]
    seen["connected"] = connections["default"].connection is not None
    return HttpResponse(request.body[::-1])


def stream(_request: HttpRequest) -> StreamingHttpResponse:
    get_user_model().objects.exists()
    seen["database"] = connections["default"]

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(1_000_000):
            yield b"%d\n" % number
            await asyncio.sleep(0.001)
            if number == 3 and seen.get("fails"):
                raise RuntimeError("halfway")

    response = StreamingHttpResponse(pieces())
    response._resource_closers.append(lambda: seen.setdefault("closed", True))
    return response


def slow(_request: HttpRequest) -> HttpResponse:
    seen["answered"].wait(20)
    return HttpResponse()


def broken(_request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a view that fails")


health = ([path("healthz", view, name="healthz")], "teams")
urlpatterns = [
    path("view", view),
    path("stream", stream),
    path("broken", broken),
    path("slow", slow),
    path("", include(health)),
]


@pytest.fixture
def ask(settings):
    """Send a request and return its communicator: ask("/view", b"body")."""
    seen.clear()
    settings.ROOT_URLCONF, settings.ALLOWED_HOSTS = __name__, ["*"]
    settings.MIDDLEWARE = [f"{__name__}.middleware"]

    handler = SingleThreadHandler()

    async def send_request(address: str, body: bytes = b"") -> ApplicationCommunicator:
        scope = {"type": "http", "method": "POST", "path": address, "query_string": b"", "headers": []}
        communicator = ApplicationCommunicator(handler, scope)
        await communicator.send_input({"type": "http.request", "body": body})
        return communicator

    return send_request


@pytest.mark.django_db(transaction=True)
def test_middleware_and_view_share_a_thread_that_releases_its_connection(ask):
    async def exchange() -> tuple[int, bytes]:
        call = await ask("/view", b"abc")
        start, body = await call.receive_output(10), await call.receive_output(10)
        await call.wait(10)
        return start["status"], body["body"]

    assert async_to_sync(exchange)() == (200, b"cba")
    assert seen["middleware"] is seen["view"] is not threading.current_thread()
    assert seen["connected"]
    assert seen["database"].connection is None


@pytest.mark.django_db(transaction=True)
def test_a_stream_ends_when_its_client_disconnects(ask):
    async def exchange() -> None:
        call = await ask("/stream")
        assert (await call.receive_output(10))["status"] == 200
        assert (await call.receive_output(10))["body"] == b"0\n"
        assert seen["database"].connection is None  # while it is sent
        await call.send_input({"type": "http.disconnect"})
        await asyncio.wait_for(asyncio.shield(call.future), 10)

    async_to_sync(exchange)()
    assert seen["closed"]


@pytest.mark.django_db(transaction=True)
def test_an_error_in_a_stream_aborts_the_response(ask):
    async def exchange() -> list[dict]:
        call = await ask("/stream")
        with pytest.raises(RuntimeError, match="halfway"):
            await call.wait(10)
        return [call.output_queue.get_nowait() for _ in range(call.output_queue.qsize())]

    seen["fails"] = True
    messages = async_to_sync(exchange)()
    assert messages[-1].get("more_body")
    assert seen["closed"]


def test_an_error_in_a_view_gives_a_500(ask):
    async def exchange() -> int:
        call = await ask("/broken")
        return (await call.receive_output(10))["status"]

    assert async_to_sync(exchange)() == 500


def test_a_client_that_disconnects_while_sending_its_body_gets_no_response(ask):
    async def exchange() -> bool:
        call = ApplicationCommunicator(
            SingleThreadHandler(), {"type": "http", "method": "POST", "path": "/view", "headers": []}
        )
        await call.send_input({"type": "http.request", "body": b"a", "more_body": True})
        await call.send_input({"type": "http.disconnect"})
        await call.wait(10)
        return call.output_queue.empty()

    assert async_to_sync(exchange)()
    assert "view" not in seen


@pytest.mark.django_db(transaction=True)
def test_a_hundred_blocked_requests_do_not_block_others(ask):
    seen["answered"] = threading.Event()

    async def exchange() -> list[int]:
        hanging = [await ask("/slow") for _ in range(100)]
        call = await ask("/view")
        statuses = [(await call.receive_output(10))["status"]]
        seen["answered"].set()
        return statuses + [(await each.receive_output(10))["status"] for each in hanging]

    assert async_to_sync(exchange)() == [200] * 101


@pytest.fixture
def few_threads(monkeypatch):
    monkeypatch.setattr(asgi_handler, "THREADS", 2)
    monkeypatch.setattr(asgi_handler, "WAIT_SECONDS", 0.2)


@pytest.mark.django_db(transaction=True)
def test_a_request_that_gets_no_thread_in_time_is_refused_and_health_is_answered(few_threads, ask):
    seen["answered"] = threading.Event()

    async def exchange() -> None:
        hanging = [await ask("/slow") for _ in range(2)]
        refused = await (await ask("/view")).receive_output(10)
        assert refused["status"] == 503
        assert int(dict(refused["headers"])[b"Retry-After"]) > 0
        assert (await (await ask("/healthz")).receive_output(10))["status"] == 200
        seen["answered"].set()
        assert [(await each.receive_output(10))["status"] for each in hanging] == [200, 200]
        assert (await (await ask("/view")).receive_output(10))["status"] == 200

    async_to_sync(exchange)()


@pytest.mark.django_db(transaction=True)
def test_a_client_that_stops_reading_ends_its_response(ask, monkeypatch):
    monkeypatch.setattr(asgi, "READER_SECONDS", 0.2)
    taken = asyncio.Event()

    async def exchange() -> None:
        scope = {"type": "http", "method": "GET", "path": "/stream", "query_string": b"", "headers": []}

        async def receive() -> dict:
            if taken.is_set():
                await asyncio.sleep(100)
            taken.set()
            return {"type": "http.request", "body": b""}

        async def never(_message: dict) -> None:
            await asyncio.sleep(100)

        with pytest.raises(asgi.ReaderTooSlow):
            await SingleThreadHandler()(scope, receive, never)

    async_to_sync(exchange)()
    assert seen["closed"]
