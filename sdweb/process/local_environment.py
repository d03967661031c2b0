"""What `manage.py portal` makes up where the environment says nothing, and keeps in var/portal.env.

Whatever the environment says wins. A part that it names is not made up, not started
and not kept; secrets once made up are kept for ever. All this happens before Django
knows its settings, so these sentences are in English.
"""

import base64
import errno
import fcntl
import os
import secrets
import shlex
import shutil
import socket
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from sdweb.process.ports import LOOPBACK, free_port, is_free

BASE_DIR = Path(__file__).resolve().parents[2]
ANYWHERE = ("", "0.0.0.0", "::")  # noqa: S104  the names of "all addresses", nothing is bound here
NEEDED_TO_START = 64 * 1024 * 1024

Environment = MutableMapping[str, str]
Values = dict[str, str]


def folder(environment: Mapping[str, str]) -> Path:
    """Where the embedded state lives."""
    return Path(environment.get("SDWEB_DATA") or BASE_DIR / "var").absolute()


def recall(environment: Environment) -> None:
    """Point a command to what the last `manage.py portal` used, if it ever ran; what is set stays."""
    for name, value in _read(folder(environment)).items():
        environment.setdefault(name, value)


def invent(environment: Environment) -> None:
    """Take the folder for this process, and complete the environment; ImproperlyConfigured says why not."""
    place = folder(environment)
    try:
        _take(place)
        _check_room(place)
        values = _values(environment, place)
        _write(place, values)
    except OSError as problem:
        raise ImproperlyConfigured(f"{place} cannot be used: {problem.strerror}.") from problem
    environment.update(values | {name: environment[name] for name in _SECRETS if environment.get(name)})


def is_ours(name: str, environment: Mapping[str, str]) -> bool:
    """Whether we start the server at this address, since it was us who made it up."""
    value = environment.get(name)
    return bool(value) and _read(folder(environment)).get(name) == value


def _take(place: Path) -> None:
    """Lock the folder until this process ends, however it ends."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(place / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as problem:
        raise ImproperlyConfigured(
            f"Another portal runs in {place} already: stop it first, or start a second one elsewhere"
            " (make run SDWEB_DATA=another/folder PORT=8001)."
        ) from problem


def _check_room(place: Path) -> None:
    """OSError if the disk is full, or so nearly that nothing could be kept."""
    if shutil.disk_usage(place).free < NEEDED_TO_START:
        raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)}, {NEEDED_TO_START >> 20} MB are needed")


def _values(environment: Mapping[str, str], place: Path) -> Values:
    """All that this start makes up or made up before."""
    kept = _read(place)
    # Whoever loaded portal.env into their shell has not asked for anything else.
    given = {name: value for name, value in environment.items() if kept.get(name) != value}
    values = _secrets(kept) | _places(given, place) | _addresses(given)
    if not given.get("REDIS_URL"):
        values |= _redis(kept)
    if not (given.get("S3_ENDPOINT_URL") or given.get("S3_BUCKET")):
        values |= _object_storage(kept)
    if not (given.get("STABILITY_BASE_URL") or given.get("STABILITY_API_KEY")):
        values |= _sandbox(kept)
    return values


_SECRETS = ("SECRET_KEY", "ENCRYPTION_KEYS")


def _secrets(kept: Values) -> Values:
    """They outlive every start, even one that was given others: provider keys are encrypted with them."""
    new = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    }
    return {name: kept.get(name) or new[name] for name in _SECRETS}


def _places(given: Mapping[str, str], place: Path) -> Values:
    """Where files and rows are kept."""
    ours = {
        "SDWEB_DATA": str(place),
        "SPOOL": str(place / "spool"),
        "STATIC_ROOT": str(place / "static"),
        "DATABASE_URL": f"sqlite:///{quote(str(place / 'sdweb.sqlite3'))}",
    }
    return {name: value for name, value in ours.items() if name == "SDWEB_DATA" or not given.get(name)}


def _addresses(given: Mapping[str, str]) -> Values:
    """How browsers reach the portal."""
    host, port = given.get("HOST") or LOOPBACK, given.get("PORT") or "8000"
    shown = LOOPBACK if host in ANYWHERE else f"[{host}]" if ":" in host else host
    names = ["localhost", LOOPBACK, "[::1]", shown, *([socket.gethostname()] if host in ANYWHERE else [])]
    ours = {
        "HOST": host,
        "PORT": port,
        "PUBLIC_URL": f"http://{shown}:{port}",
        "ALLOWED_HOSTS": ",".join(dict.fromkeys(names)),
    }
    return {name: value for name, value in ours.items() if not given.get(name)}


def _redis(kept: Values) -> Values:
    password = urlsplit(kept.get("REDIS_URL", "")).password or secrets.token_urlsafe(24)
    return {"REDIS_URL": f"redis://:{password}@{LOOPBACK}:{_port(kept.get('REDIS_URL'))}/0"}


def _object_storage(kept: Values) -> Values:
    return {
        "S3_BUCKET": "sdweb",
        "S3_REGION": "us-east-1",
        "S3_ENDPOINT_URL": f"http://{LOOPBACK}:{_port(kept.get('S3_ENDPOINT_URL'))}",
        "AWS_ACCESS_KEY_ID": kept.get("AWS_ACCESS_KEY_ID") or secrets.token_hex(10),
        "AWS_SECRET_ACCESS_KEY": kept.get("AWS_SECRET_ACCESS_KEY") or secrets.token_urlsafe(30),
    }


def _sandbox(kept: Values) -> Values:
    return {
        "SDWEB_SANDBOX": "1",
        "STABILITY_BASE_URL": f"http://{LOOPBACK}:{_port(kept.get('STABILITY_BASE_URL'))}",
        "STABILITY_API_KEY": kept.get("STABILITY_API_KEY") or f"sandbox-{secrets.token_hex(16)}",
    }


def _port(address: str | None) -> int:
    """The port of the last start, unless someone else has taken it meanwhile."""
    port = urlsplit(address or "").port
    return port if port and is_free(port) else free_port()


def _read(place: Path) -> Values:
    """What is kept; nothing if there is no file."""
    try:
        lines = shlex.split((place / "portal.env").read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as problem:
        raise ImproperlyConfigured(f"{place / 'portal.env'} cannot be read: {problem}.") from problem
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _write(place: Path, values: Values) -> None:
    """Keep the values, for our eyes only; a crash leaves the old file or the new one."""
    new = place / "portal.env.new"
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.writelines(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
        file.flush()
        os.fsync(file.fileno())
    new.replace(place / "portal.env")
