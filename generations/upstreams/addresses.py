"""Where the base URL of an account leads: whether to another place, and whether a key is safe on the way."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


def is_same_origin(one: str, other: str) -> bool:
    """Whether two base URLs have the same scheme, host and port. The path may differ."""
    return _origin(one) == _origin(other)


def is_unencrypted(base_url: str) -> bool:
    """Whether a key that is sent there can be read on the way: http:// to another machine."""
    parts = urlsplit(base_url)
    return parts.scheme != "https" and not _is_loopback(parts.hostname or "")


def _origin(base_url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(base_url)
    host = (parts.hostname or "").rstrip(".")
    return parts.scheme, host, parts.port or DEFAULT_PORTS.get(parts.scheme)


def _is_loopback(host: str) -> bool:
    """Whether the host is this machine: localhost, or an address of 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
