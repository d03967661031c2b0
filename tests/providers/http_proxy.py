"""An HTTP proxy that asks for a login: it opens tunnels for https, and fetches http itself."""

from __future__ import annotations

import base64
import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit


class HttpProxy:
    """Listens on a free port; `asked` has the first lines of the requests, `logins` what came with them."""

    def __init__(self, login: str = "") -> None:
        self.asked: list[str] = []
        self.heads: list[bytes] = []
        self._expected = f"Basic {base64.b64encode(login.encode()).decode()}" if login else ""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept()[0],), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            data = b""
            while b"\r\n\r\n" not in data:
                data += client.recv(65_536)
            head, _end, rest = data.partition(b"\r\n\r\n")
            first = head.split(b"\r\n")[0].decode()
            self.asked.append(first)
            self.heads.append(head)
            if (
                self._expected
                and f"proxy-authorization: {self._expected}".lower() not in head.decode().lower()
            ):
                client.sendall(b"HTTP/1.1 407 Login needed\r\nContent-Length: 0\r\n\r\n")
                return
            method, target, _version = first.split()
            place = target if method == "CONNECT" else urlsplit(target).netloc
            host, _colon, port = place.rpartition(":")
            with socket.create_connection((host, int(port))) as server:
                if method == "CONNECT":
                    client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                    server.sendall(rest)
                else:
                    origin = data.replace(f"{method} http://{place}".encode(), f"{method} ".encode(), 1)
                    server.sendall(origin)
                threading.Thread(target=_copy, args=(client, server), daemon=True).start()
                _copy(server, client)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
