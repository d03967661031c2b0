"""Settings that `manage.py portal` generates where the environment has none, and stores in var/portal.env.

The environment wins. What it configures is not generated, not started and not stored; generated secrets are
stored for ever. All this happens before Django has its settings, so the messages are not translated.
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

from generations.providers.catalogue.registry import DECLARED
from sdweb.process.ports import LOOPBACK, free_port, is_free

BASE_DIR = Path(__file__).resolve().parents[2]
ALL_INTERFACES = ("", "0.0.0.0", "::")  # noqa: S104  nothing is bound here
MIN_FREE_SPACE = 64 * 1024 * 1024

Environment = MutableMapping[str, str]
Values = dict[str, str]


def data_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of embedded state and generated settings."""
    return Path(environment.get("SDWEB_DATA") or BASE_DIR / "var").absolute()


def load(environment: Environment) -> None:
    """Set what the last `manage.py portal` stored, if it ever ran; keep what is set."""
    for name, value in _read(data_folder(environment)).items():
        environment.setdefault(name, value)


def generate(environment: Environment) -> None:
    """Lock the data folder and complete the environment; ImproperlyConfigured if that fails."""
    folder = data_folder(environment)
    try:
        _lock(folder)
        _check_disk_space(folder)
        values = _values(environment, folder)
        _write(folder, values)
    except OSError as problem:
        raise ImproperlyConfigured(f"{folder} cannot be used: {problem.strerror}.") from problem
    environment.update(values | {name: environment[name] for name in _SECRETS if environment.get(name)})


def is_embedded(name: str, environment: Mapping[str, str]) -> bool:
    """Return whether the server at this address is embedded: the address is a generated one."""
    value = environment.get(name)
    return bool(value) and _read(data_folder(environment)).get(name) == value


def _lock(folder: Path) -> None:
    """Lock the folder until this process ends, however it ends."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as problem:
        raise ImproperlyConfigured(
            f"Another portal runs in {folder} already: stop it first, or start a second one elsewhere"
            " (make run SDWEB_DATA=another/folder PORT=8001)."
        ) from problem
    os.register_at_fork(after_in_child=lambda: os.close(lock))  # what a fork had would outlive this process


def _check_disk_space(folder: Path) -> None:
    """Raise OSError if the disk is full or nearly so."""
    if shutil.disk_usage(folder).free < MIN_FREE_SPACE:
        raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)}, {MIN_FREE_SPACE >> 20} MB are needed")


def _values(environment: Mapping[str, str], folder: Path) -> Values:
    """Return all settings that are generated now or were before."""
    stored = _read(folder)
    # A value equal to the stored one, as after loading portal.env into a shell, does not count as configured.
    configured = {name: value for name, value in environment.items() if stored.get(name) != value}
    values = _secrets(stored) | _paths(configured, folder) | _addresses(configured)
    taken = {values.get("PORT") or configured["PORT"]}
    if not configured.get("REDIS_URL"):
        values |= _redis(stored, taken)
    if not (configured.get("S3_ENDPOINT_URL") or configured.get("S3_BUCKET")):
        values |= _object_storage(stored, taken)
    if not any(configured.get(name) for name in PROVIDERS):
        values |= _sandbox(stored, taken)
    return values


# Who sets one of these has a provider, and needs no sandbox.
PROVIDERS = ("STABILITY_BASE_URL", "STABILITY_API_KEY", "GATEWAY_BASE_URL", "GATEWAY_API_KEY")
_SECRETS = ("SECRET_KEY", "ENCRYPTION_KEYS")


def _secrets(stored: Values) -> Values:
    """Return the stored secrets or new ones, also when others are configured: they encrypt provider keys."""
    new = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    }
    return {name: stored.get(name) or new[name] for name in _SECRETS}


def _paths(configured: Mapping[str, str], folder: Path) -> Values:
    """Return the paths of files and of the SQLite database."""
    defaults = {
        "SDWEB_DATA": str(folder),
        "SPOOL": str(folder / "spool"),
        "STATIC_ROOT": str(folder / "static"),
        "DATABASE_URL": f"sqlite:///{quote(str(folder / 'sdweb.sqlite3'))}",
    }
    return {
        name: value for name, value in defaults.items() if name == "SDWEB_DATA" or not configured.get(name)
    }


def _addresses(configured: Mapping[str, str]) -> Values:
    """Return the address of the portal for browsers."""
    host, port = configured.get("HOST") or LOOPBACK, configured.get("PORT") or "8000"
    public_host = LOOPBACK if host in ALL_INTERFACES else f"[{host}]" if ":" in host else host
    names = [
        "localhost",
        LOOPBACK,
        "[::1]",
        public_host,
        *([socket.gethostname()] if host in ALL_INTERFACES else []),
    ]
    defaults = {
        "HOST": host,
        "PORT": port,
        "PUBLIC_URL": f"http://{public_host}:{port}",
        "ALLOWED_HOSTS": ",".join(dict.fromkeys(names)),
    }
    return {name: value for name, value in defaults.items() if not configured.get(name)}


def _redis(stored: Values, taken: set[str]) -> Values:
    password = urlsplit(stored.get("REDIS_URL", "")).password or secrets.token_urlsafe(24)
    return {"REDIS_URL": f"redis://:{password}@{LOOPBACK}:{_port(stored.get('REDIS_URL'), taken)}/0"}


def _object_storage(stored: Values, taken: set[str]) -> Values:
    return {
        "S3_BUCKET": "sdweb",
        "S3_REGION": "us-east-1",
        "S3_ENDPOINT_URL": f"http://{LOOPBACK}:{_port(stored.get('S3_ENDPOINT_URL'), taken)}",
        "AWS_ACCESS_KEY_ID": stored.get("AWS_ACCESS_KEY_ID") or secrets.token_hex(10),
        "AWS_SECRET_ACCESS_KEY": stored.get("AWS_SECRET_ACCESS_KEY") or secrets.token_urlsafe(30),
    }


def _sandbox(stored: Values, taken: set[str]) -> Values:
    """Return the sandbox provider as an account of Stability, and as a gateway for all other systems."""
    address = f"http://{LOOPBACK}:{_port(stored.get('STABILITY_BASE_URL'), taken)}"
    key = stored.get("STABILITY_API_KEY") or f"sandbox-{secrets.token_hex(16)}"
    values = {"SDWEB_SANDBOX": "1", "STABILITY_BASE_URL": address, "STABILITY_API_KEY": key}
    if others := [system for system in DECLARED if system != "stability"]:
        values |= {"GATEWAY_BASE_URL": address, "GATEWAY_API_KEY": key, "GATEWAY_SYSTEMS": ",".join(others)}
    return values


def _port(address: str | None, taken: set[str]) -> int:
    """Return the port of the last start, or a new one if that is in use, and add it to those `taken`.

    These are ports that the portal itself will listen on, and that are free until it does.
    """
    port = urlsplit(address or "").port
    while not port or str(port) in taken or not is_free(port):
        port = free_port()
    taken.add(str(port))
    return port


def _read(folder: Path) -> Values:
    """Return the stored settings; {} if there is no file."""
    try:
        lines = shlex.split((folder / "portal.env").read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as problem:
        raise ImproperlyConfigured(f"{folder / 'portal.env'} cannot be read: {problem}.") from problem
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _write(folder: Path, values: Values) -> None:
    """Store the values with mode 600; a crash leaves the old file or the new one."""
    new = folder / "portal.env.new"
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.writelines(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / "portal.env")
