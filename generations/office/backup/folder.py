"""A backup's folder: its manifest, its lists of objects, and who may write to it.

manifest.json           what the backup holds; replaced last, so that the folder always holds a whole backup
database-TIME.sqlite3   a copy of the database (`.dump` of PostgreSQL: pg_dump's custom format)
objects-TIME.jsonl      one object per line, in byte order of the keys
objects/KEY             the bytes
"""

from __future__ import annotations

import fcntl
import hashlib
import heapq
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

FORMAT = 1
MANIFEST = "manifest.json"
LISTS = "objects-*.jsonl"
PREFIXES = ("images", "uploads")


class BackupError(Exception):
    """It cannot be done; the text is a sentence for the operator."""


@dataclass(frozen=True)
class StoredObject:
    """An object in a backup; `sha256` in hex."""

    key: str
    sha256: str
    bytes: int
    media_type: str
    metadata: dict[str, str] = field(default_factory=dict)

    def as_line(self) -> str:
        """The object as a line of a list."""
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class DatabaseFile:
    """The copy of the database; `version` is PostgreSQL's major version, 0 for SQLite."""

    file: str
    engine: str
    version: int
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """What a backup holds.

    `installation` identifies the database that it is of. `rows` are counts by table. `migrations` are those
    that were applied, as `app.name`. `missing` are keys of objects that storage did not have, or not with the
    bytes of their row. `secret_key` recognises SECRET_KEY without telling it.
    """

    installation: str
    taken_at: str
    database: DatabaseFile
    migrations: list[str]
    rows: dict[str, int]
    objects: str
    object_count: int
    object_bytes: int
    missing: list[str]
    secret_key: str


class Folder:
    """A folder with one backup."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.planned = path / "planned.jsonl"  # the objects that a snapshot of the database names

    @contextmanager
    def opened_for(self, installation: str) -> Iterator[None]:
        """Make the folder if it is not there, and keep others out meanwhile.

        Raises BackupError if it holds anything else than backups of this installation.
        """
        mask = os.umask(0o077)  # pictures and addresses are nobody else's
        try:
            with self._own(installation):
                yield
        finally:
            os.umask(mask)

    @contextmanager
    def _own(self, installation: str) -> Iterator[None]:
        self.path.mkdir(parents=True, exist_ok=True)
        if not (self.path / MANIFEST).is_file():
            if any(self.path.iterdir()):
                raise BackupError(
                    _("%(folder)s is not empty and holds no backup: choose a folder of its own.")
                    % {"folder": self.path}
                )
            self._write({"format": FORMAT, "installation": installation})
        with self._locked():
            if self._read().get("installation") != installation:
                raise BackupError(
                    _("%(folder)s holds the backup of another portal: choose a folder of its own.")
                    % {"folder": self.path}
                )
            self._remove_partial_files()
            yield

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.path / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as problem:
                raise BackupError(
                    _("Another backup to %(folder)s is under way.") % {"folder": self.path}
                ) from problem
            yield

    def manifest(self) -> Manifest:
        """The manifest of a whole backup. Raises BackupError if there is none that this version reads."""
        if not (self.path / MANIFEST).is_file():
            raise BackupError(_("%(folder)s holds no backup.") % {"folder": self.path})
        values = self._read()
        if "database" not in values:
            raise BackupError(_("The backup in %(folder)s was never finished.") % {"folder": self.path})
        values.pop("format")
        try:
            return Manifest(**values | {"database": DatabaseFile(**values["database"])})
        except TypeError as problem:
            raise BackupError(
                _("%(folder)s has a manifest that this version does not read.") % {"folder": self.path}
            ) from problem

    def finish(self, manifest: Manifest) -> None:
        """Replace the manifest, and remove what earlier backups alone had."""
        self._write({"format": FORMAT} | asdict(manifest))
        self._remove_objects_but(manifest.objects)
        for path in (*self.path.glob("database-*"), self.planned):
            if path.name != manifest.database.file:
                path.unlink(missing_ok=True)

    def object_path(self, key: str) -> Path:
        """Where the bytes of an object are. Raises BackupError for a key that would lead elsewhere."""
        parts = key.split("/")
        if parts[0] not in PREFIXES or len(parts) < 2 or {"", ".", ".."} & set(parts) or "\\" in key:
            raise BackupError(_("An object cannot be called %(key)s.") % {"key": repr(key)})
        return self.path / "objects" / key

    def listed(self, name: str) -> Iterator[StoredObject]:
        """The objects of a list, in byte order of their keys, without a last line that was cut."""
        with (self.path / name).open(encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n"):
                    yield StoredObject(**json.loads(line))

    def all_listed(self, but: str = "") -> Iterator[StoredObject]:
        """The objects of all lists, in byte order of their keys; one may come several times."""
        lists = [self.listed(path.name) for path in sorted(self.path.glob(LISTS)) if path.name != but]
        return heapq.merge(*lists, key=lambda stored: stored.key)

    def _remove_objects_but(self, current: str) -> None:
        """Remove objects that only other lists have, and those lists."""
        needed = Lookup(self.listed(current))
        for stored in self.all_listed(but=current):
            if needed.find(stored.key) is None:
                path = self.object_path(stored.key)
                path.unlink(missing_ok=True)
                if path.parent.is_dir() and not any(path.parent.iterdir()):
                    path.parent.rmdir()
        for path in self.path.glob(LISTS):
            if path.name != current:
                path.unlink()

    def _remove_partial_files(self) -> None:
        """Remove what a run that was killed had not finished, if there was one."""
        finished = self._read().get("objects")
        if any(path.name != finished for path in self.path.glob(LISTS)):
            for path in self.path.rglob("*.part"):
                path.unlink()

    def _read(self) -> dict[str, Any]:
        try:
            values = json.loads((self.path / MANIFEST).read_text(encoding="utf-8"))
            known = values["format"] == FORMAT
        except (ValueError, KeyError, TypeError):
            values, known = {}, False
        if not known:
            raise BackupError(
                _("%(folder)s has a manifest that this version does not read.") % {"folder": self.path}
            )
        return dict(values)

    def _write(self, values: dict[str, Any]) -> None:
        text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
        with written(self.path / MANIFEST) as file:
            file.write(text.encode())


class Lookup:
    """Finds objects by key in a sorted stream, for keys that are asked for in byte order."""

    def __init__(self, stored: Iterator[StoredObject]) -> None:
        self._stored = stored
        self._next = next(stored, None)
        self._passed: StoredObject | None = None

    def find(self, key: str) -> StoredObject | None:
        """The last object with that key."""
        while self._next and self._next.key <= key:  # code points have the order of UTF-8's bytes
            self._passed, self._next = self._next, next(self._stored, None)
        return self._passed if self._passed and self._passed.key == key else None


@contextmanager
def written(path: Path) -> Iterator[Any]:
    """A file that takes the place of `path` once it is complete and on disk; only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.part")
    try:
        with open(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def hash_of(path: Path) -> str:
    """The SHA-256 of a file in hex; "" if there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
