"""Connections that serve one call, keep its deadline to the byte, and know how far it got."""

from __future__ import annotations

import functools
import http.client
import io
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


@dataclass
class Call:
    """How far one exchange has come and when it must be over (monotonic clock)."""

    deadline: float
    sent: bool = field(default=False, init=False)  # the whole request is in the system's hands
    status: int | None = field(default=None, init=False)

    def left(self) -> float:
        """Seconds until the deadline; TimeoutError after it."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the deadline has passed")
        return seconds


class _Reader(io.RawIOBase):
    """A socket's bytes; each wait for more is cut to what the call has left."""

    def __init__(self, raw: Any, sock: socket.socket, call: Call) -> None:
        self._raw, self._sock, self._call = raw, sock, call

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._call.left())
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """Keeps the deadline while the head is read, too: a dripping server gains nothing."""

    def __init__(self, sock: socket.socket, *args: Any, call: Call, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_Reader(self.fp.detach(), sock, call))


class _Connection(HTTPConnection):
    """Notes when the request has been sent whole, and sends nothing after the deadline."""

    def __init__(self, call: Call, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._call = call
        self.response_class = functools.partial(_Response, call=call)  # type: ignore[assignment]  # called like one

    def request(self, *args: Any, **options: Any) -> None:
        if self.sock is None:
            self.connect()
        self.timeout = self._call.left()  # for sending; until here it was the time for connecting
        super().request(*args, **options)
        self._call.sent = True


class _TlsConnection(_Connection, HTTPSConnection):
    """The same with TLS."""


class OneCallAdapter(HTTPAdapter):
    """Makes one connection for one call; certificates are read once per process."""

    def __init__(self, call: Call) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)
        self._call = call
        self._pool: HTTPConnectionPool | None = None

    def get_connection_with_tls_context(self, request: Any, *_: Any, **__: Any) -> HTTPConnectionPool:
        """A pool for this call alone."""
        address = urlsplit(request.url)
        host, port = address.hostname or "", address.port
        kind: Any = functools.partial(_Connection, self._call)
        if address.scheme == "https":
            self._pool = HTTPSConnectionPool(host, port, ssl_context=_trust(), maxsize=1)
            kind = functools.partial(_TlsConnection, self._call)
        else:
            self._pool = HTTPConnectionPool(host, port, maxsize=1)
        self._pool.ConnectionCls = kind
        return self._pool

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Nothing to add: `_trust` verifies names and certificates."""

    def close(self) -> None:
        """Close the call's connection, whatever state it is in."""
        if self._pool is not None:
            self._pool.close()
        super().close()


@functools.cache
def _trust() -> ssl.SSLContext:
    """Certificates of `requests` and of the system; reading them takes longer than a handshake."""
    context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    context.load_default_certs()
    return context
