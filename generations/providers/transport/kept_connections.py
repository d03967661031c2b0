"""Connections that stay open from one GET to the next.

Polls of tasks come many times a minute, and what a new connection costs, above all with TLS, is more than the
poll. Each connection belongs to one server and one proxy, and has one call at a time.
"""

from __future__ import annotations

import threading
import time

from generations.providers.transport.connection import OneConnectionAdapter

MAX_IDLE_SECONDS = 30.0  # less than servers and the routers between keep silent connections
MAX_IDLE = 16  # connections to one server

Server = tuple[str, str]  # scheme, host and port; proxy

_idle: dict[Server, list[tuple[float, OneConnectionAdapter]]] = {}  # since when; the last used one is last
_lock = threading.Lock()


def server_of(url: str, proxy: str) -> Server:
    """Return what a connection for that address, through that proxy, leads to."""
    return "/".join(url.split("/", 3)[:3]), proxy


def take(server: Server, deadline: float) -> OneConnectionAdapter | None:
    """Return the connection to that server which was used last, for one call; None if there is none."""
    close_old()
    with _lock:
        adapters = _idle.get(server)
        adapter = adapters.pop()[1] if adapters else None
    if adapter:
        adapter.call.begin(deadline)
    return adapter


def keep(server: Server, adapter: OneConnectionAdapter) -> None:
    """Keep a connection whose call has ended for the next one."""
    with _lock:
        adapters = _idle.setdefault(server, [])
        if is_kept := len(adapters) < MAX_IDLE:
            adapters.append((time.monotonic(), adapter))
    if not is_kept:
        adapter.close()


def close_old() -> None:
    """Close the connections that were not used for MAX_IDLE_SECONDS."""
    oldest = time.monotonic() - MAX_IDLE_SECONDS
    with _lock:
        old = [each for adapters in _idle.values() for each in adapters if each[0] < oldest]
        if old:
            for server, adapters in list(_idle.items()):
                _idle[server] = [each for each in adapters if each[0] >= oldest]
    for _since, adapter in old:
        adapter.close()
