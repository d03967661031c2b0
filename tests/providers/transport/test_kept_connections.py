"""Connections that polls leave open: which calls share them, and what happens when a server closes them."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from generations.providers.base import Unknown
from generations.providers.transport import kept_connections
from generations.providers.transport.http import exchange
from tests.providers.fake_provider import read_request, response
from tests.providers.http_proxy import HttpProxy

CLOSE, HANG = b"close", b"hang"  # instead of an answer


class Server:
    """Answers any number of requests over a connection, as planned or else with 202, and remembers them."""

    def __init__(self) -> None:
        self.plan: list[bytes] = []
        self.requests: list[
            tuple[int, str, str]
        ] = []  # number of the connection, method, `Connection` header
        self.closed: list[int] = []  # connections that the client has closed
        self._connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/results/1"
        threading.Thread(target=self._listen, daemon=True).start()

    def end(self) -> None:
        """Listen no more."""
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            self._connections += 1
            threading.Thread(target=self._serve, args=[connection, self._connections], daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection:
            while True:
                try:
                    request = read_request(connection)
                except ConnectionError:
                    self.closed.append(number)
                    return
                self.requests.append((number, request.method, request.headers.get("connection", "")))
                answer = self.plan.pop(0) if self.plan else response(202, b"{}")
                if answer == CLOSE:
                    return
                if answer == HANG:
                    connection.recv(1)
                    return
                connection.sendall(answer)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.end()


def get(server: Server, timeout: float = 5.0) -> int:
    return exchange("GET", server.url, timeout=timeout).status


def connections(server: Server) -> list[int]:
    return [number for number, _method, _header in server.requests]


def test_polls_share_a_connection_and_orders_never_do(server):
    assert [get(server), get(server)] == [202, 202]
    for _ in range(2):
        exchange("POST", server.url, timeout=5.0, json={"prompt": "a harbour"})
    assert get(server) == 202
    assert server.requests == [
        (1, "GET", ""),
        (1, "GET", ""),
        (2, "POST", "close"),
        (3, "POST", "close"),
        (1, "GET", ""),
    ]


def test_a_poll_whose_connection_was_closed_meanwhile_is_sent_again_over_a_new_one(server):
    server.plan = [response(202, b"{}"), CLOSE, response(200, b"done")]
    assert [get(server), get(server)] == [202, 200]
    assert connections(server) == [1, 1, 2]


def test_a_new_connection_that_is_closed_is_no_reason_to_send_again(server):
    server.plan = [CLOSE]
    with pytest.raises(Unknown):
        get(server)
    assert connections(server) == [1]


def test_the_deadline_holds_over_a_kept_connection(server):
    server.plan = [response(202, b"{}"), HANG]
    get(server)
    began = time.monotonic()
    with pytest.raises(Unknown, match="in time"):
        get(server, timeout=0.3)
    assert time.monotonic() - began < 1.5
    assert connections(server) == [1, 1]
    assert get(server) == 202
    assert connections(server) == [1, 1, 2]


@pytest.mark.parametrize(
    "answer",
    [
        response(200, b"x", connection="close"),
        response(200, b"cut", content_length="9"),
        response(500, b"x" * 70_000),
    ],
    ids=["closed", "cut", "unread"],
)
def test_a_connection_is_kept_only_after_a_whole_answer(server, answer):
    server.plan = [answer]
    with contextlib.suppress(Unknown):
        get(server, timeout=0.5)
    assert get(server) == 202
    assert connections(server) == [1, 2]


def test_a_connection_that_nobody_uses_is_closed(server, monkeypatch):
    get(server)
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + kept_connections.MAX_IDLE_SECONDS + 1)
    kept_connections.close_old()
    limit = clock() + 5
    while not server.closed:
        assert clock() < limit
        time.sleep(0.01)
    assert get(server) == 202
    assert connections(server) == [1, 2]


def test_polls_at_once_have_a_connection_each(server):
    threads = [threading.Thread(target=get, args=[server]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert get(server) == 202
    assert len(server.requests) == 5
    assert server.requests[-1][0] in range(1, 5)


def test_a_connection_without_a_proxy_is_none_through_one(server):
    """One account may have a proxy, and another at the same provider none."""
    proxy = HttpProxy()
    through = f"http://127.0.0.1:{proxy.port}"
    try:
        assert get(server) == 202
        assert exchange("GET", server.url, timeout=5.0, proxy=through).status == 202
        assert len(proxy.asked) == 1
        assert get(server) == 202
        assert len(proxy.asked) == 1
    finally:
        proxy.close()


def test_another_server_gets_a_connection_of_its_own(server):
    other = Server()
    try:
        assert [get(server), get(other), get(server)] == [202] * 3
        assert (connections(server), connections(other)) == ([1, 1], [1])
    finally:
        other.end()
