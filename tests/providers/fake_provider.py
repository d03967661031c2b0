"""A fake provider: validates requests strictly, records them, and sends planned responses."""

from __future__ import annotations

import io
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from tests.providers.specification import FORMATS, Refusal, Request, check, require

KEY = "sk-TestKey0123456789abcdefGHIJKLmnopqrstuvwxyz"


def make_image(kind: str = "png", size: tuple[int, int] = (64, 48)) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(file, FORMATS[kind])
    return file.getvalue()


def response(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Return the bytes of a response; `content_length=""` leaves the header out."""
    lines = {"content-length": str(len(body))} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode("latin-1") + body


def error(status: int, data: object, **headers: str) -> bytes:
    return response(status, json.dumps(data).encode(), content_type="application/json", **headers)


@dataclass
class Task:
    """A task by its id: the key that ordered it, the format of its image, and how often it was asked for."""

    authorization: str
    kind: str
    polls: int = 0


class FakeProvider:
    """Listens on a free port; `plan` has the responses of the next calls: bytes or functions."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.problems: list[str] = []
        self.plan: list[bytes | Callable[[socket.socket], None]] = []
        self.tasks: dict[str, Task] = {}
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
        if kind == "task":
            remote_id = f"{len(self.tasks) + 1:064x}"
            asked = request.texts.get("output_format", "png")
            self.tasks[remote_id] = Task(request.headers["authorization"], asked)
            return error(200, {"id": remote_id})
        if kind == "result":
            return self._result(request)
        return self._image(kind)

    def _result(self, request: Request) -> bytes:
        """A task is under way when it is asked for the first time, and done afterwards."""
        remote_id = request.path.rpartition("/")[2]
        task = self.tasks.get(remote_id)
        if task is None or task.authorization != request.headers["authorization"]:
            sentence = "id: the generation either does not exist or has expired."
            return error(404, {"id": "1", "name": "generation_not_found", "errors": [sentence]})
        task.polls += 1
        if task.polls == 1:
            return error(202, {"id": remote_id, "status": "in-progress"})
        return self._image(task.kind)

    def _image(self, kind: str) -> bytes:
        return response(
            200,
            make_image(kind),
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
            raise ConnectionError("closed before the end of the headers")
    head, body = received.split(b"\r\n\r\n", 1)
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, version = first.split(" ")
    require(version == "HTTP/1.1", "version")
    headers: dict[str, str] = {}
    for line in lines:
        name, value = line.split(":", 1)
        require(name.lower() not in headers, f"{name} is sent twice")
        headers[name.lower()] = value.strip()
    require("transfer-encoding" not in headers, "chunked request")
    whole = bytearray(body)
    while len(whole) < int(headers.get("content-length", "0")):
        whole += (piece := connection.recv(1 << 20))
        if not piece:
            raise ConnectionError("closed before the end of the body")
    return Request(method, path, headers, bytes(whole))


def dripping(head: bytes, piece: bytes = b"x", pause: float = 0.02) -> Callable[[socket.socket], None]:
    """Send `head`, then a little at a time without end."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in range(500):
            connection.sendall(piece)
            time.sleep(pause)

    return answer


def hanging(connection: socket.socket) -> None:
    """Send nothing until the client disconnects."""
    connection.recv(1)


def reset(connection: socket.socket) -> None:
    """Reset the connection after reading the request."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()


def unread(connection: socket.socket) -> None:
    """Reset the connection after the headers, while the body is being sent."""
    connection.recv(100)
    reset(connection)


unread.before_reading = True


def assert_readable(problem: Exception) -> None:
    """The reason is one short line without markup and key, and the error has no context."""
    reason = problem.reason
    assert 10 < len(reason) <= 300
    assert reason.isprintable()
    assert reason.endswith((".", "!", "?", "…", "。"))  # other sentences follow it on a page
    assert "<" not in reason
    assert KEY not in reason + problem.code + problem.request_id
    assert problem.__cause__ is problem.__context__ is None
