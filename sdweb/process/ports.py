"""Finding a port of this machine for a server of ours."""

import random
import socket

LOOPBACK = "127.0.0.1"
# Below the ports that the system itself hands out, so that one chosen now is still free at the next start.
PORTS = range(20_000, 32_000)


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """A port of this machine that nobody uses."""
    return next(port for port in iter(lambda: random.choice(PORTS), None) if is_free(port))  # noqa: S311  no secret


def answers(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server listens there."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
