"""The web server as compose starts it: kept connections, web sockets, trusted proxies."""

from __future__ import annotations

import base64
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sdweb.process.local_environment import BASE_DIR
from sdweb.process.ports import answers, free_port
from sdweb.process.program import ChildProcess, Program
from sdweb.process.services import Services
from tests.deploy import compose

HOST = "pictures.example.com"
HANDSHAKE = (
    f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """Its port, and its log. It trusts a proxy at 127.0.0.2."""
    port, folder = free_port(), tmp_path_factory.mktemp("web")
    words = compose.command(compose.read()["services"]["web"], {"--port=8000": f"--port={port}"})
    changes = {"PUBLIC_URL": f"https://{HOST}", "TRUSTED_PROXIES": "127.0.0.2, 10.0.0.0/8"}
    child = ChildProcess(
        Program(
            "web",
            tuple(words),
            folder / "web.log",
            {**os.environ, **changes},
            BASE_DIR,
            ready=lambda: answers(port),
        )
    )
    child.start()
    try:
        child.wait_until_ready()
        yield port, folder / "web.log"
    finally:
        child.stop()


def request(connection: socket.socket, path: str, *headers: str) -> str:
    """Send a request over an open connection; its response to the end, or as far as one packet goes."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}", *headers]
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    said = connection.recv(65_536)
    head, _, body = said.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    left = int(length[1]) - len(body) if length else 0
    while left > 0 and (more := connection.recv(left)):  # it may come apart, and is not the next response
        said, left = said + more, left - len(more)
    return said.decode(errors="replace")


def connect(server: tuple[int, Path], source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", server[0]), timeout=10, source_address=(source, 0))


def test_an_idle_connection_is_kept_for_longer_than_proxies_keep_theirs(server):
    with connect(server) as connection:
        assert request(connection, "/healthz").startswith("HTTP/1.1 200")
        time.sleep(6)  # uvicorn's own time is 5 s
        assert request(connection, "/healthz").startswith("HTTP/1.1 200")


def test_every_way_to_start_the_web_server_keeps_connections(tmp_path):
    settings = {"HOST": "127.0.0.1", "PORT": "8000", "SDWEB_DATA": str(tmp_path)}
    web = Services({**os.environ, **settings}).web()
    words = " ".join(web.command)
    assert "--timeout-keep-alive 620" in words
    assert words.startswith(sys.executable)
    for name in ("Dockerfile", "docker-compose.yml"):
        assert "--timeout-keep-alive=620" in (BASE_DIR / name).read_text()
    assert "--timeout-keep-alive 620" in (BASE_DIR / "README.md").read_text()


@pytest.mark.parametrize(
    "headers",
    [
        f"{HANDSHAKE}\r\nSec-WebSocket-Version: 13",
        f"{HANDSHAKE}\r\nSec-WebSocket-Version: 12",
        "Upgrade: websocket\r\nConnection: Upgrade",
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13",
    ],
)
@pytest.mark.parametrize("path", ["/", "/t/studio/live", "/v1/images/generations"])
def test_a_web_socket_is_refused_without_a_traceback(server, headers, path):
    with connect(server) as connection:
        assert request(connection, path, headers).split()[1][0] == "4"
    with connect(server) as connection:
        assert request(connection, "/healthz").startswith("HTTP/1.1 200")
    assert "Traceback" not in server[1].read_text()


def sign_in_page(server: tuple[int, Path], source: str) -> str:
    """The beginning of the page as a proxy at this address gets it, to which a browser came by https."""
    with connect(server, source) as connection:
        return request(
            connection, "/accounts/login/", "X-Forwarded-Proto: https", "X-Forwarded-For: 203.0.113.9"
        )


def test_a_trusted_proxy_is_believed(server):
    assert sign_in_page(server, "127.0.0.2").startswith("HTTP/1.1 200")


def test_another_is_not_and_the_log_says_what_to_do(server):
    for _ in range(2):
        answer = sign_in_page(server, "127.0.0.3").lower()
        assert answer.startswith("http/1.1 301")
        assert f"location: https://{HOST}/accounts/login/" in answer
    assert server[1].read_text().count("127.0.0.3 sent a request with X-Forwarded-Proto") == 1


LOADED = """
import gc, sys
import sdweb.asgi
from django.urls import get_resolver
from generations.library.storage import client
modules = set(sys.modules)
client.client()
get_resolver().resolve("/healthz")
get_resolver().resolve("/back-office/")
print(get_resolver()._populated, len(set(sys.modules) - modules), gc.get_freeze_count())
"""


def test_what_would_hold_up_the_event_loop_is_done_before_the_first_request():
    """Views are loaded, and what is loaded is left out of garbage collections."""
    command = [sys.executable, "-c", LOADED]
    done = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, timeout=120, check=True)
    populated, later, frozen = done.stdout.split()
    assert (populated, later) == ("True", "0")
    assert int(frozen) > 100_000
