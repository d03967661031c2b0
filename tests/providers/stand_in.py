"""A provider for tests: reads requests strictly, keeps them, and answers as it is told."""

from __future__ import annotations

import io
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable

from PIL import Image

from tests.providers.specification import FORMATS, Refusal, Request, check, insist

KEY = "sk-TestKey0123456789abcdefGHIJKLmnopqrstuvwxyz"


def picture(kind: str = "png", size: tuple[int, int] = (64, 48)) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(file, FORMATS[kind])
    return file.getvalue()


def response(status: int, body: bytes = b"", **headers: str) -> bytes:
    """The bytes of an answer; `content_length=""` leaves the header out."""
    lines = {"content-length": str(len(body))} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode("latin-1") + body


def error(status: int, data: object, **headers: str) -> bytes:
    return response(status, json.dumps(data).encode(), content_type="application/json", **headers)


class StandIn:
    """Listens on a free port; `plan` holds what the next calls get: bytes, or a function."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.problems: list[str] = []
        self.plan: list[bytes | Callable[[socket.socket], None]] = []
        self.connections = 0
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.address = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.over = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        self.over.set()
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                connection.settimeout(10)
                answer = self.plan.pop(0) if self.plan else self._answer
                if getattr(answer, "before_reading", False):
                    answer(connection)
                    return
                request = read_request(connection)
                self.requests.append(request)
                if isinstance(answer, bytes):
                    connection.sendall(answer)
                elif answer == self._answer:
                    connection.sendall(self._answer(request))
                else:
                    answer(connection)
        except OSError:
            pass
        except Refusal as problem:
            self.problems.append(str(problem))

    def _answer(self, request: Request) -> bytes:
        try:
            kind = check(request)
        except Refusal as problem:
            self.problems.append(str(problem))
            return error(400, {"id": "1", "name": "bad_request", "errors": [str(problem)]})
        return response(
            200,
            picture(kind),
            content_type=f"image/{kind}",
            finish_reason="SUCCESS",
            seed="343940597",
            x_request_id="r-1",
        )


def read_request(connection: socket.socket) -> Request:
    received = b""
    while b"\r\n\r\n" not in received:
        received += (piece := connection.recv(65536))
        if not piece:
            raise ConnectionError("cut before the head was over")
    head, body = received.split(b"\r\n\r\n", 1)
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, version = first.split(" ")
    insist(version == "HTTP/1.1", "version")
    headers: dict[str, str] = {}
    for line in lines:
        name, value = line.split(":", 1)
        insist(name.lower() not in headers, f"{name} stands twice")
        headers[name.lower()] = value.strip()
    insist("transfer-encoding" not in headers, "chunked request")
    whole = bytearray(body)
    while len(whole) < int(headers.get("content-length", "0")):
        whole += (piece := connection.recv(1 << 20))
        if not piece:
            raise ConnectionError("cut before the body was over")
    return Request(method, path, headers, bytes(whole))


def dripping(head: bytes, piece: bytes = b"x", pause: float = 0.02) -> Callable[[socket.socket], None]:
    """Sends `head`, then a little at a time without end."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in range(500):
            connection.sendall(piece)
            time.sleep(pause)

    return answer


def hanging(connection: socket.socket) -> None:
    """Says nothing until the client goes away."""
    connection.recv(1)


def reset(connection: socket.socket) -> None:
    """Cuts the line after the request has been read."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()


def unread(connection: socket.socket) -> None:
    """Cuts the line after the head, while the body is still coming."""
    connection.recv(100)
    reset(connection)


unread.before_reading = True


def assert_readable(problem: Exception) -> None:
    """What a member reads is one short line without markup, key or foreign exceptions."""
    reason = problem.reason
    assert 10 < len(reason) <= 300
    assert reason.isprintable()
    assert reason.endswith((".", "!", "?", "…", "。"))  # others follow it on a page
    assert "<" not in reason
    assert KEY not in reason + problem.code + problem.request_id
    assert problem.__cause__ is problem.__context__ is None
