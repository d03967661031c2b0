"""Read settings from the environment; an invalid one raises ImproperlyConfigured with one sentence."""

import ipaddress
import re
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()

HOST = re.compile(r"\*|\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\]", re.IGNORECASE)


def required(name: str, why: str) -> str:
    """Return the setting; ImproperlyConfigured if it is missing or empty."""
    value: str = env.str(name, default="").strip()
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: {why} (README.md, Settings).")
    return value


def positive_integer(name: str, default: int, *, at_least: int = 1) -> int:
    """Return the setting as an integer from 1 (or `at_least`) on; ImproperlyConfigured if it is none."""
    value: str = env.str(name, default="").strip() or str(default)
    if not value.isdecimal() or int(value) < at_least:
        raise ImproperlyConfigured(f"{name} is “{value[:40]}”: it must be a whole number from {at_least} on.")
    return int(value)


def comma_separated(name: str) -> list[str]:
    """Return the values of a comma-separated setting, without empty ones."""
    return [value.strip() for value in env.str(name, default="").split(",") if value.strip()]


def flag(name: str, *, default: bool) -> bool:
    """Return the setting as true or false; ImproperlyConfigured if it is neither."""
    value: str = env.str(name, default="").strip().lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    if value:
        raise ImproperlyConfigured(f"{name} is “{value[:40]}”: it must be true or false.")
    return default


def web_address(name: str, default: str) -> str:
    """Return scheme, host and port of the setting; ImproperlyConfigured if there is more, or less."""
    return origin(name, env.str(name, default="").strip() or default)


def origin(name: str, address: str) -> str:
    """Return the address as `scheme://host:port`, in lower case and ASCII as browsers send it."""
    shown = address[:80].rpartition("@")[2]  # without a password
    if not re.match(r"https?://", address, re.IGNORECASE):
        raise ImproperlyConfigured(
            f"{name} is “{shown}”: it must be https:// or http:// and a host name, such as"
            " https://pictures.example.com."
        )
    try:
        parts = urlsplit(address)
        port, host = parts.port, _ascii(parts.hostname or "")
    except ValueError:
        port, host = None, ""
    if parts_beyond_host(address):
        raise ImproperlyConfigured(
            f"{name} is “{shown}”: it must be an address without a path; the portal needs a host name or a"
            " port of its own."
        )
    is_host = HOST.fullmatch(f"[{host}]" if ":" in host else host) and host[0] not in "*."
    if "@" in address or not is_host:
        raise ImproperlyConfigured(f"{name} is “{shown}”: it must be https:// and a host name, maybe a port.")
    scheme = address.partition(":")[0].lower()
    place = host_of(f"{scheme}://{f'[{host}]' if ':' in host else host}")
    return f"{scheme}://{place}:{port}" if port else f"{scheme}://{place}"


def parts_beyond_host(address: str) -> bool:
    """Return whether more than a slash follows the host and the port of a web address."""
    rest = re.split(r"[/?#]", address.partition("://")[2], maxsplit=1)
    return len(rest) > 1 and address[-len(rest[1]) - 1 :].strip("/") != ""


def _ascii(host: str) -> str:
    """Return the host name as browsers send it; ValueError for one that cannot be written so."""
    return host if host.isascii() else host.encode("idna").decode()


def origins(name: str) -> list[str]:
    """Return the addresses of a comma-separated setting; one may begin with a star, https://*.example.com."""
    return [
        address if re.fullmatch(r"https?://\*(\.[\w-]+)+(:\d+)?", address) else origin(name, address)
        for address in comma_separated(name)
    ]


def hosts(name: str) -> list[str]:
    """Return the host names of a comma-separated setting; ImproperlyConfigured for a whole address."""
    found = comma_separated(name)
    for host in found:
        if not HOST.fullmatch(host):
            raise ImproperlyConfigured(
                f"{name} has “{host[:80]}”: write host names alone, without scheme, port and path;"
                " IPv6 in brackets."
            )
    return found


def networks(name: str) -> list[str]:
    """Return the addresses and networks of a comma-separated setting; ImproperlyConfigured for others."""
    found = comma_separated(name)
    for each in found:
        try:
            if each != "*":
                ipaddress.ip_network(each)
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} has “{each[:80]}”: write addresses or networks, such as 10.0.0.7 or 192.168.0.0/16,"
                " whose last bits are 0."
            ) from None
    return found


def host_of(address: str) -> str:
    """Return the host of a URL as in a Host header, IPv6 in brackets."""
    host = urlsplit(address).hostname or "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def one_of(name: str, *choices: str) -> str:
    """Return the setting, by default the first choice; ImproperlyConfigured if it is none of them."""
    value: str = env.str(name, default="").strip() or choices[0]
    if value not in choices:
        raise ImproperlyConfigured(f"{name} is “{value[:40]}”: it must be {' or '.join(choices)}.")
    return value
