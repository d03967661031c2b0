"""What REDIS_URL says, in the words of both libraries that connect: redis-py and Celery's kombu."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured

from generations.core import service_url

SCHEMES = {"redis": "redis", "valkey": "redis", "rediss": "rediss", "valkeys": "rediss"}
SOCKETS = ("unix", "redis+socket", "valkey+socket")
SENTINELS = ("sentinel", "redis+sentinel", "rediss+sentinel")
TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
VERIFY = {"required": ssl.CERT_REQUIRED, "optional": ssl.CERT_OPTIONAL, "none": ssl.CERT_NONE}
DEFAULT_PORT = 6379


@dataclass(frozen=True)
class RedisServer:
    """One server.

    `options` are arguments of `redis.Redis`, sync or async. `broker_url` and `broker_ssl` are Celery's; kombu
    5.7 verifies no certificate unless it is told to, so `broker_ssl` always says so.
    """

    options: dict[str, Any]
    broker_url: str
    broker_ssl: dict[str, Any] | None


def read(address: str) -> RedisServer:
    """Return the server; ImproperlyConfigured, without the address, if a library cannot use it."""
    url = service_url.parse(address)
    if url.scheme in SOCKETS:
        return _socket(url)
    if url.scheme in SENTINELS:
        raise ImproperlyConfigured(
            "names sentinels, which are not asked: give the address of the primary, or of a proxy that"
            " follows it"
        )
    if url.scheme not in SCHEMES:
        raise ImproperlyConfigured(
            "must begin with redis:// or valkey://, with rediss:// or valkeys:// for TLS, or with unix://"
            " for a socket"
        )
    tls = _tls(url) if SCHEMES[url.scheme] == "rediss" else None
    _refuse(url, {"db", *([*TLS_FILES, "ssl_cert_reqs", "ssl_check_hostname"] if tls else [])})
    if len(url.hosts) != 1 or not url.hosts[0][0]:
        raise ImproperlyConfigured("must name one host, as redis://:password@host:6379/0")
    host, port = url.hosts[0][0], url.hosts[0][1] or DEFAULT_PORT
    database = _database(url.options.get("db") or url.path.strip("/"))
    name = f"[{host}]" if ":" in host else host
    return RedisServer(
        options={"host": host, "port": port, "db": database, **_login(url)}
        | ({"ssl": True, **tls} if tls else {}),
        broker_url=f"{SCHEMES[url.scheme]}://{url.login()}{name}:{port}/{database}",
        broker_ssl=tls,
    )


def _socket(url: service_url.ServiceUrl) -> RedisServer:
    _refuse(url, {"db", "virtual_host"})
    if url.hosts or len(url.path) < 2:
        raise ImproperlyConfigured("must name the socket's whole path, as unix:///run/valkey.sock?db=0")
    database = _database(url.options.get("db") or url.options.get("virtual_host") or "")
    return RedisServer(
        options={"unix_socket_path": url.path, "db": database, **_login(url)},
        broker_url=f"redis+socket://{url.login()}{quote(url.path)}?virtual_host={database}",
        broker_ssl=None,
    )


def _login(url: service_url.ServiceUrl) -> dict[str, str | None]:
    return {"username": url.user or None, "password": url.password or None}


def _database(text: str) -> int:
    if text and not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise ImproperlyConfigured("must end with the number of a database, as in redis://host:6379/0")
    return int(text or 0)


def _tls(url: service_url.ServiceUrl) -> dict[str, Any]:
    """Return the arguments of a verified connection; only `ssl_cert_reqs=none` switches that off."""
    said = url.options.get("ssl_cert_reqs", "required").lower().removeprefix("cert_")
    named = url.options.get("ssl_check_hostname", "true").lower()
    if said not in VERIFY or named not in ("true", "false"):
        raise ImproperlyConfigured(
            "has an option of TLS that cannot be used: ssl_cert_reqs is required, optional or none,"
            " ssl_check_hostname true or false"
        )
    files = {name: url.options[name] for name in TLS_FILES if url.options.get(name)}
    return {
        "ssl_cert_reqs": VERIFY[said],
        "ssl_check_hostname": said != "none" and named == "true",
        **files,
    }


def _refuse(url: service_url.ServiceUrl, allowed: set[str]) -> None:
    unknown = sorted(url.options.keys() - allowed)
    if any(name.startswith("ssl_") for name in unknown) and url.scheme not in ("rediss", "valkeys"):
        raise ImproperlyConfigured("has options of TLS, which need rediss:// or valkeys://")
    if unknown:
        raise ImproperlyConfigured(
            f"has the option {unknown[0][:40]}, which is not known here;"
            f" there are: {', '.join(sorted(allowed))}"
        )
