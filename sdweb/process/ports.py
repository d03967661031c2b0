"""Free ports of this machine for embedded servers."""

import random
import socket

LOOPBACK = "127.0.0.1"
# Below the ephemeral ports of the system, so that one chosen now is still free at the next start.
PORTS = range(20_000, 32_000)


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Return whether a server could listen on the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """Return a free port of the loopback interface."""
    return next(port for port in iter(lambda: random.choice(PORTS), None) if is_free(port))  # noqa: S311  no secret


def answers(port: int, host: str = LOOPBACK) -> bool:
    """Return whether a server accepts connections on the port."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
