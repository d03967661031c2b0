"""Copy the database to a file while the portal runs, and back: SQLite's backup API, pg_dump and pg_restore.

Sessions stay out of the file, since their keys are the cookies by which people are signed in; so does the
cache of sign-in attempts.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext as _

from generations.jobs.models import UNFINISHED, Generation
from generations.library.models import Image, Upload
from generations.office.backup.folder import BackupError, DatabaseFile, StoredObject, hash_of, written

ENDINGS = {"sqlite": "sqlite3", "postgresql": "dump"}
BYTE_ORDER = {"sqlite": "BINARY", "postgresql": '"C"'}  # the collation in which storage lists keys
DEBIAN = Path("/usr/lib/postgresql")  # where Debian has the programs of each version
NO_OWNERS = ("--no-owner", "--no-privileges")  # another server has other users
ANY_PEOPLE = ("teams_user", "teams_team", "library_image")  # a database without rows in these is empty

Rows = Iterator[tuple[Any, ...]]
Query = Callable[[str], Rows]


@dataclass(frozen=True)
class Snapshot:
    """What the database held at one moment; `rows` are counts by table.

    `unfinished` are generations that may have an object and no image.
    """

    file: DatabaseFile
    installation: str
    migrations: list[str]
    rows: dict[str, int]
    unfinished: list[uuid.UUID]


# To a file -----------------------------------------------------------------------------------


def installation() -> str:
    """What identifies this database, also after a restore: its first migration and when that was applied."""
    first = MigrationRecorder.Migration.objects.order_by("pk").first()
    if first is None:
        raise BackupError(_("The database is empty: there is nothing to back up."))
    return f"{first.app}.{first.name} {first.applied.isoformat()}"


def take_snapshot(path: Path, *, objects: Path) -> Snapshot:
    """Copy the database to a file, and write to another which objects it names, in byte order of their keys.

    The portal may go on working meanwhile. Raises BackupError.
    """
    is_sqlite = connection.vendor == "sqlite"
    path.touch(mode=0o600)
    with _take_sqlite(path) if is_sqlite else _take_postgresql(path) as query:
        migrations = query("SELECT app, name FROM django_migrations ORDER BY id")
        applied = [f"{app}.{name}" for app, name in migrations]
        rows = {table: next(query(f"SELECT count(*) FROM {table}"))[0] for table in _tables()}  # noqa: S608
        unfinished = [uuid.UUID(str(pk)) for (pk,) in query(_unfinished())]
        with written(objects) as file:
            for row in query(_objects_of_rows()):
                file.write(StoredObject(*row).as_line().encode())
    _sync(path)
    version = 0 if is_sqlite else _server_version()
    copy = DatabaseFile(path.name, connection.vendor, version, hash_of(path), path.stat().st_size)
    return Snapshot(copy, installation(), applied, rows, unfinished)


@contextmanager
def _take_sqlite(path: Path) -> Iterator[Query]:
    """Copy the database; yield how the copy is asked."""
    source = f"file:{quote(str(connection.settings_dict['NAME']))}?mode=rw"
    with (
        closing(sqlite3.connect(source, uri=True, timeout=20)) as live,
        closing(sqlite3.connect(path)) as copy,
    ):
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        for table in private_tables():
            copy.execute(f"DELETE FROM {table}")  # noqa: S608  a name of ours
        copy.commit()
        copy.execute("VACUUM")  # what was deleted leaves the file
        yield copy.execute


@contextmanager
def _take_postgresql(path: Path) -> Iterator[Query]:
    """Dump the database; yield how the same snapshot is asked."""
    dump = _program("pg_dump", _server_version())
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        (name,) = cursor.fetchone()
        left_out = [f"--exclude-table-data={table}" for table in private_tables()]
        _run(dump, f"--snapshot={name}", "--format=custom", *NO_OWNERS, *left_out, f"--file={path}")

        def query(statement: str) -> Rows:
            with connection.chunked_cursor() as rows:  # a million rows are not in memory at once
                rows.execute(statement)
                yield from rows

        yield query


def private_tables() -> list[str]:
    """Tables whose rows stay out of a backup."""
    models = [apps.get_model("sessions.Session"), apps.get_model("usersessions.UserSession")]
    known = set(connection.introspection.table_names())
    return [name for name in (*(m._meta.db_table for m in models), _cache_table()) if name in known]


def _cache_table() -> str:
    return str(settings.CACHES["default"].get("LOCATION", ""))


def _tables() -> list[str]:
    """Our tables, without those that stay out."""
    left_out = set(private_tables())
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return sorted(name for name in names if name not in left_out)


def _objects_of_rows() -> str:
    """The objects that rows name, each once, in byte order: key, sha256, bytes, media type."""
    tables = " UNION ALL ".join(
        f"SELECT key, sha256, bytes, media_type FROM {model._meta.db_table}"  # noqa: S608
        for model in (Image, Upload)
    )
    return (
        f"SELECT key, min(sha256), min(bytes), min(media_type) FROM ({tables}) AS named "  # noqa: S608
        f"GROUP BY key ORDER BY key COLLATE {BYTE_ORDER[connection.vendor]}"
    )


def _unfinished() -> str:
    """Generations that may have an object and no image: called for, and not ended."""
    states = ", ".join(f"'{status.value}'" for status in UNFINISHED)
    return f"SELECT id FROM {Generation._meta.db_table} WHERE attempt > 0 AND status IN ({states})"  # noqa: S608


# From a file ---------------------------------------------------------------------------------


def check_fits(file: DatabaseFile, migrations: Iterable[str]) -> None:
    """Raise BackupError unless this database and this version of the portal can take the copy."""
    if file.engine != connection.vendor:
        raise BackupError(
            _("The backup is of %(engine)s, and DATABASE_URL leads to %(other)s.")
            % {"engine": file.engine, "other": connection.vendor}
        )
    ours = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    labels = {config.label for config in apps.get_app_configs()}
    newer = [name for name in migrations if name.partition(".")[0] in labels and name not in ours]
    if newer:
        raise BackupError(
            _("The backup was taken by a newer version, which has %(name)s: install that one first.")
            % {"name": newer[-1]}
        )


def is_empty() -> bool:
    """Whether nobody uses this database yet: no tables, or nobody in them.

    Raises BackupError for tables that are not of a portal.
    """
    if connection.vendor == "sqlite" and not Path(connection.settings_dict["NAME"]).exists():
        return True
    names = set(connection.introspection.table_names())
    if names and "django_migrations" not in names:
        raise BackupError(_("The database has tables that are not of this portal: choose another."))
    with connection.cursor() as cursor:
        for table in names & set(ANY_PEOPLE):
            cursor.execute(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608
            if cursor.fetchone():
                return False
    return True


def load(path: Path, file: DatabaseFile) -> None:
    """Put the copy in place of all that is in this database. Raises BackupError."""
    if file.engine == "sqlite":
        _load_sqlite(path)
    else:
        _load_postgresql(path, file)


def rows() -> dict[str, int]:
    """How many rows each of our tables has."""
    counts = {}
    with connection.cursor() as cursor:
        for table in _tables():
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
            counts[table] = cursor.fetchone()[0]
    return counts


def _load_sqlite(path: Path) -> None:
    target = Path(connection.settings_dict["NAME"])
    connection.close()
    target.parent.mkdir(parents=True, exist_ok=True)
    source = f"file:{quote(str(path))}?mode=ro"
    with (
        closing(sqlite3.connect(source, uri=True)) as copy,
        closing(sqlite3.connect(target, timeout=20)) as live,
    ):
        copy.backup(live)


def _load_postgresql(path: Path, file: DatabaseFile) -> None:
    restore = _program("pg_restore", max(file.version, _server_version()))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CLEAR)
    name = str(connection.settings_dict["NAME"])
    connection.close()
    _run(restore, "--exit-on-error", "--single-transaction", *NO_OWNERS, f"--dbname={name}", str(path))


CLEAR = """
DO $$
DECLARE found record;
BEGIN
    FOR found IN SELECT format('DROP TABLE IF EXISTS %I CASCADE', tablename) AS statement
                 FROM pg_tables WHERE schemaname = current_schema()
    LOOP EXECUTE found.statement; END LOOP;
    FOR found IN SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure) AS statement
                 FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
                 AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
    LOOP EXECUTE found.statement; END LOOP;
END $$
"""


# PostgreSQL's programs -------------------------------------------------------------------------


def _server_version() -> int:
    """The major version of the server."""
    connection.ensure_connection()
    return int(connection.connection.info.server_version) // 10_000


def _program(name: str, at_least: int) -> str:
    """The program of the lowest version that is enough, on the path or where Debian has it.

    Raises BackupError if there is none: one older than its server refuses.
    """
    found = [shutil.which(name), *map(str, DEBIAN.glob(f"*/bin/{name}"))]
    versions = {_version_of(each): each for each in reversed(found) if each}
    enough = [version for version in versions if version >= at_least]
    if not enough:
        raise BackupError(
            _(
                "There is no %(name)s of version %(version)s or newer on this machine: install"
                " postgresql-client-%(version)s."
            )
            % {"name": name, "version": at_least}
        )
    return versions[min(enough)]


def _version_of(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    number = re.search(r" (\d+)", said)
    return int(number[1]) if number else 0


def _run(*command: str) -> None:
    """Run a program of PostgreSQL's on our database; the password is in its environment alone."""
    parameters = connection.get_connection_params()
    options = {option.keyword.decode(): option.envvar for option in psycopg.pq.Conninfo.get_defaults()}
    environment = {
        variable.decode(): str(parameters[keyword])
        for keyword, variable in options.items()
        if variable and parameters.get(keyword) is not None
    }
    done = subprocess.run(
        command,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [str(done.returncode)])[-1]
        raise BackupError(f"{Path(command[0]).name}: {last}")


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
