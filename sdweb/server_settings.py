"""What DATABASE_URL, REDIS_URL and EMAIL_URL mean for Django and Celery.

ImproperlyConfigured names the setting and what is wrong with it, and never shows the address: it has a
password.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import ImproperlyConfigured

from generations.core import redis_url, service_url
from sdweb.env import env, positive_integer

T = TypeVar("T")

POSTGRESQL = ("postgres", "postgresql", "pgsql", "psql")
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
# Parts of the address itself, and what Django sets.
NOT_OPTIONS = {"user", "password", "dbname", "client_encoding", "replication"}
CONNECTING = {
    "connect_timeout": 5,
    "application_name": "sdweb",
    # A server that went away without a word is noticed after 15 to 30 seconds, not two hours.
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds
}
IDLE_CONNECTIONS = 10  # to SQLite, that a process keeps open for whichever of its threads comes next
LOCK_TIMEOUT = 20  # seconds, as on SQLite
IDLE_IN_TRANSACTION_TIMEOUT = 300  # seconds: a process that hangs must not keep its locks
SMTP_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465, "smtp+ssl": 465}
MAIL_WITHOUT_SERVER = ("consolemail", "dummymail", "filemail", "memorymail")


def _read(name: str, read: Callable[[str], T], address: str) -> T:
    try:
        return read(address)
    except ImproperlyConfigured as problem:
        reason = str(problem)
    raise ImproperlyConfigured(f"{name} {reason} (README.md, Settings).")


# Database -----------------------------------------------------------------------------


def database(address: str) -> dict[str, Any]:
    """Return Django's settings of the database."""
    if address.startswith("sqlite:"):
        return _read("DATABASE_URL", _sqlite, address)
    settings = _read("DATABASE_URL", _postgresql, address)
    options = settings["OPTIONS"]
    options |= {"options": _session_options(options.get("options", "")), "pool": _pool()}
    return settings


def _sqlite(address: str) -> dict[str, Any]:
    if address != "sqlite://:memory:":
        place, _mark, options = address.removeprefix("sqlite:").partition("?")
        if options:
            raise ImproperlyConfigured(
                "has options, which SQLite does not take here: end it with the file's path"
            )
        if not place.startswith("///"):
            raise ImproperlyConfigured(
                "must give a file by its whole path: sqlite:////srv/sdweb/sdweb.sqlite3"
            )
    settings: dict[str, Any] = env.db_url_config(address)
    return settings | {
        "ENGINE": "sdweb.db.sqlite",
        # A file: docs/decisions/sqlite-and-valkey.md
        "TEST": {"NAME": f"{settings['NAME']}.test"},
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",  # a transaction that reads first cannot fail when it writes
            "timeout": 20,
            "pool": IDLE_CONNECTIONS,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-2000;"
            "PRAGMA mmap_size=134217728; PRAGMA temp_store=MEMORY;",
        },
    }


def _postgresql(address: str) -> dict[str, Any]:
    url = service_url.parse(address)
    if url.scheme not in POSTGRESQL:
        raise ImproperlyConfigured("must begin with postgres:// (PostgreSQL) or sqlite:/// (SQLite)")
    if not url.path.strip("/") and not url.options.get("service"):
        raise ImproperlyConfigured("names no database: postgres://user:password@host/name")
    options = _libpq_options(url)
    ports = [str(port or "") for _name, port in url.hosts]
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.removeprefix("/"),
        "USER": url.user,
        "PASSWORD": url.password,
        "HOST": ",".join(name for name, _port in url.hosts),
        "PORT": ",".join(ports) if any(ports) else "",
        # Pooled connections may be broken: each is tried before it is used.
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": CONNECTING | options,
    }


def _libpq_options(url: service_url.ServiceUrl) -> dict[str, str]:
    """Return the options of the address; ImproperlyConfigured for one that libpq does not know."""
    from psycopg import pq  # noqa: PLC0415  SQLite needs neither its time nor its memory

    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()} - NOT_OPTIONS
    if unknown := sorted(url.options.keys() - known):
        raise ImproperlyConfigured(
            f"has the option {unknown[0][:40]}, which PostgreSQL's library does not know: take one of its"
            " own, such as sslmode, sslrootcert, application_name, connect_timeout or options"
        )
    if (mode := url.options.get("sslmode")) is not None and mode not in SSL_MODES:
        raise ImproperlyConfigured(f"has another sslmode than there is: {', '.join(SSL_MODES)}")
    if url.hosts and url.options.keys() & {"host", "hostaddr", "port"}:
        raise ImproperlyConfigured("names its host twice, before the path and in an option")
    return url.options


def _session_options(given: str) -> str:
    """Return the settings of each session; those of the address come last and win."""
    timeouts = {
        "statement_timeout": positive_integer("DATABASE_STATEMENT_TIMEOUT", default=60, at_least=0),
        "lock_timeout": LOCK_TIMEOUT,
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT,
    }
    if not timeouts["statement_timeout"]:  # a command, which may take long and wait long
        timeouts = {}
    ours = " ".join(f"-c {name}={seconds}s" for name, seconds in timeouts.items())
    return f"{ours} {given}".strip()


def _pool() -> dict[str, Any]:
    """Return the pool of a process: web, upkeep and seven workers fit into PostgreSQL's 100 connections."""
    from sdweb.db.pooled_connection import PooledConnection  # noqa: PLC0415  as in _libpq_options

    return {
        "connection_class": PooledConnection,
        "min_size": 1,
        "max_size": positive_integer("DATABASE_POOL_SIZE", default=10),
        "timeout": 20,  # seconds to wait for a connection, also while PostgreSQL restarts
        "max_idle": 60,
    }


# Redis --------------------------------------------------------------------------------


def redis(address: str) -> redis_url.RedisServer:
    """Return the server of REDIS_URL."""
    return _read("REDIS_URL", redis_url.read, address)


# A provider's proxy ---------------------------------------------------------------------


def proxy(name: str, address: str) -> str:
    """Return the address of an HTTP proxy, "" for none."""
    return _read(name, _proxy, address) if address else ""


def _proxy(address: str) -> str:
    url = service_url.parse(address)
    plain = url.scheme in ("http", "https") and len(url.hosts) == 1 and url.hosts[0][0]
    if not plain or url.path.strip("/") or url.options:
        raise ImproperlyConfigured("must be http://host:port, or http://user:password@host:port")
    host, port = url.hosts[0]
    place = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{url.login()}{place}" + (f":{port}" if port else "")


# Mail ---------------------------------------------------------------------------------


def email(address: str) -> dict[str, Any]:
    """Return Django's settings of mail."""
    return _read("EMAIL_URL", _email, address)


def _email(address: str) -> dict[str, Any]:
    if address.partition(":")[0] in MAIL_WITHOUT_SERVER:
        settings: dict[str, Any] = env.email_url_config(address)
        return settings
    url = service_url.parse(address)
    if url.scheme not in SMTP_PORTS:
        raise ImproperlyConfigured(
            "must begin with smtp+tls:// (STARTTLS), smtps:// (TLS at once) or smtp://"
        )
    if url.options or url.path.strip("/"):
        raise ImproperlyConfigured(
            "must end with host and port: smtp+tls://user:password@mail.example.com:587"
        )
    if len(url.hosts) != 1 or not url.hosts[0][0]:
        raise ImproperlyConfigured("must name one host: smtp+tls://user:password@mail.example.com:587")
    host, port = url.hosts[0][0], url.hosts[0][1] or SMTP_PORTS[url.scheme]
    is_tls = url.scheme in ("smtps", "smtp+ssl")
    if is_tls and port == SMTP_PORTS["smtp+tls"]:
        raise ImproperlyConfigured(
            "asks for TLS at once on port 587, which speaks STARTTLS: write smtp+tls://"
        )
    if not is_tls and port == SMTP_PORTS["smtps"]:
        raise ImproperlyConfigured("has port 465, which speaks TLS at once: write smtps://")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": host,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": url.user,
        "EMAIL_HOST_PASSWORD": url.password,
        "EMAIL_USE_SSL": is_tls,
        "EMAIL_USE_TLS": url.scheme == "smtp+tls",
    }
