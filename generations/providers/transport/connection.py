"""HTTP connections for one call at a time, which enforce its deadline and record whether it was sent."""

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

CONNECT_TIMEOUT = 10.0


@dataclass
class Call:
    """The state of one exchange, and its deadline on the monotonic clock."""

    deadline: float
    sent: bool = field(default=False, init=False)  # the whole request was passed to the operating system
    status: int | None = field(default=None, init=False)
    over_kept: bool = field(default=False, init=False)  # the connection was open before the call began

    def begin(self, deadline: float) -> None:
        """Begin another exchange over a connection that was kept open."""
        self.deadline, self.sent, self.status, self.over_kept = deadline, False, None, True

    @property
    def met_closed_connection(self) -> bool:
        """Whether a failure can be that of a kept connection which the server closed meanwhile."""
        return self.over_kept and self.status is None and time.monotonic() < self.deadline

    def remaining(self) -> float:
        """Return the seconds until the deadline; TimeoutError after it."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the deadline has passed")
        return seconds


class _Reader(io.RawIOBase):
    """The bytes of a socket; each read times out at the deadline of the call."""

    def __init__(self, raw: Any, sock: socket.socket, call: Call) -> None:
        self._raw, self._sock, self._call = raw, sock, call

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._call.remaining())
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """A response that enforces the deadline while its headers are read, also from a slow server."""

    def __init__(self, sock: socket.socket, *args: Any, call: Call, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_Reader(self.fp.detach(), sock, call))


class _Connection(HTTPConnection):
    """A connection that records when the request was sent, and sends nothing after the deadline."""

    def __init__(self, call: Call, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._call = call
        self.response_class = functools.partial(_Response, call=call)  # type: ignore[assignment]  # called like one

    def _new_conn(self) -> socket.socket:
        self._call.over_kept = False
        sock = super()._new_conn()
        sock.settimeout(min(sock.gettimeout() or CONNECT_TIMEOUT, self._call.remaining()))  # of the handshake
        return sock

    def request(self, *args: Any, **options: Any) -> None:
        if self.sock is None:
            self.connect()
        self.timeout = self._call.remaining()  # for sending; until here it was the timeout for connecting
        super().request(*args, **options)
        self._call.sent = True


class _TlsConnection(_Connection, HTTPSConnection):
    """The same connection with TLS."""


class OneConnectionAdapter(HTTPAdapter):
    """Has one connection for one call at a time, through a proxy if `send` names one.

    All its calls go to the same server and through the same proxy. Certificates are read once. `ip_address`
    is connected to instead of what the host's name resolves to; SNI and the certificate have the name. A
    proxy connects to the name.
    """

    def __init__(self, call: Call, ip_address: str = "") -> None:
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)
        self.call, self._ip_address = call, ip_address
        self._pool: HTTPConnectionPool | None = None
        self._connection: _Connection | None = None

    def get_connection_with_tls_context(
        self, request: Any, *_: Any, proxies: Any = None, **__: Any
    ) -> HTTPConnectionPool:
        """Return the pool of the one connection."""
        if self._pool is not None:
            return self._pool
        address = urlsplit(request.url)
        host, port = address.hostname or "", address.port
        if proxy := (proxies or {}).get(address.scheme):
            self._pool = self._pool_through(proxy, host, port, address.scheme)
        elif address.scheme == "https":
            # Not assert_hostname, for which urllib3 switches the check of names off in the shared context.
            self._pool = HTTPSConnectionPool(
                self._ip_address or host, port, ssl_context=_ssl_context(), server_hostname=host, maxsize=1
            )
        else:
            self._pool = HTTPConnectionPool(self._ip_address or host, port, maxsize=1)
        is_tls = isinstance(self._pool, HTTPSConnectionPool)
        connection_class: Any = functools.partial(self._connect, _TlsConnection if is_tls else _Connection)
        self._pool.ConnectionCls = connection_class
        return self._pool

    @property
    def is_open(self) -> bool:
        """Whether the server left the connection open, and all of its last answer was read."""
        return self._connection is not None and self._connection.sock is not None

    def _connect(self, kind: type[_Connection], *args: Any, **options: Any) -> _Connection:
        self._connection = kind(self.call, *args, **options)
        return self._connection

    def _pool_through(self, proxy: str, host: str, port: int | None, scheme: str) -> HTTPConnectionPool:
        """Return a pool whose connection is a tunnel for https, and the proxy's own for http."""
        manager = self.proxy_manager_for(proxy, proxy_ssl_context=_ssl_context())
        tls = {"ssl_context": _ssl_context()}
        pool: HTTPConnectionPool = manager.connection_from_host(host, port, scheme, pool_kwargs=tls)
        return pool

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Do nothing: the context verifies host names and certificates."""

    def close(self) -> None:
        """Close the connection of the call, in any state."""
        if self._pool is not None:
            self._pool.close()
        super().close()


@functools.cache
def _ssl_context() -> ssl.SSLContext:
    """Return a context with the certificates of `requests` and of the system; reading them is slow."""
    context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    context.load_default_certs()
    return context
