"""Back up an installation to a folder, and restore it from there."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from redis import RedisError

from generations.credits import integrity_check
from generations.jobs.engine import adopt, heartbeats, persist
from generations.jobs.management.commands.check_library import find_problems
from generations.library.maintenance.check import Check, Kind
from generations.office.backup import database, objects
from generations.office.backup.folder import BackupError, Folder, Manifest, StoredObject, hash_of, written
from generations.office.backup.objects import Copied
from generations.office.installation import bootstrap
from generations.upstreams import encryption
from generations.upstreams.models import Upstream

SALT = "generations.office.backup"
ROUNDS = 5  # snapshots of the database at most, while people delete pictures for good


@dataclass
class BackupResult:
    """What a backup did; `problems` are sentences about objects that storage does not have as it should."""

    manifest: Manifest
    copied: int = 0
    copied_bytes: int = 0
    were_there: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass
class RestoreResult:
    """What a restore did and proved; `problems` are sentences, none if all is as it was.

    `adopted` counts generations that were under way and whose pictures the backup has, `ledger` are the
    problems of the ledger alone, and `library` counts what `check_library` found, by kind.
    """

    manifest: Manifest
    copied: int = 0
    were_there: int = 0
    adopted: int = 0
    keys_readable: int = 0
    keys: int = 0
    ledger: list[str] = field(default_factory=list)
    library: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def back_up(path: Path, *, quick: bool = False) -> BackupResult:
    """Copy the database, and after it every object that it names, to a folder.

    The portal may go on working. If an object is deleted for good before it is copied, the database is
    copied again, so that the copy names no object that is not in the folder. With `quick`, files that are in
    the folder are compared by size and not by SHA-256. Raises BackupError, StorageUnavailable, OSError.
    """
    folder = Folder(path)
    with folder.opened_for(database.installation()):
        time = timezone.now()
        stamp = f"{time:%Y%m%dT%H%M%S.%fZ}"
        name = f"database-{stamp}.{database.ENDINGS[connection.vendor]}"
        totals, lost, missing = _Totals(), list[Copied](), set[str]()
        for number in range(ROUNDS):
            (path / name).unlink(missing_ok=True)
            snapshot = database.take_snapshot(path / name, objects=folder.planned)
            part = f"objects-{stamp}-{number}.jsonl"
            lost = _copy(folder, folder.listed(folder.planned.name), part, totals, quick=quick or number > 0)
            before, missing = missing, {copied.stored.key for copied in lost if copied.is_missing}
            if not missing or missing == before:  # or rows still name what storage lost
                break
        rest, late = f"objects-{stamp}-rest.jsonl", objects.of_unfinished(snapshot.unfinished)
        late.sort(key=lambda each: each.key)
        # An unfinished picture that is gone meanwhile became an image and was deleted, or was never whole.
        _copy(folder, late, rest, totals, quick=quick)
        whole = f"objects-{stamp}.jsonl"
        count, size = _merge(folder, (part, rest), whole)
        manifest = Manifest(
            installation=snapshot.installation,
            taken_at=time.isoformat(),
            database=snapshot.file,
            migrations=snapshot.migrations,
            rows=snapshot.rows,
            objects=whole,
            object_count=count,
            object_bytes=size,
            missing=[copied.stored.key for copied in lost],
            secret_key=secret_key_check(),
        )
        folder.finish(manifest)
    problems = [f"{copied.problem}: {copied.stored.key}" for copied in lost]
    were_there = max(count - totals.copied, 0)
    return BackupResult(manifest, totals.copied, totals.copied_bytes, were_there, problems)


@dataclass
class _Totals:
    copied: int = 0
    copied_bytes: int = 0


def _copy(
    folder: Folder, wanted: Iterable[StoredObject], name: str, totals: _Totals, *, quick: bool
) -> list[Copied]:
    """Bring the objects into the folder and list them; return those that are not there with their bytes."""
    lost = []
    with (folder.path / name).open("w", encoding="utf-8") as file:
        for copied in objects.copy_to_folder(folder, wanted, quick=quick):
            if copied.problem:
                lost.append(copied)
                continue
            file.write(copied.stored.as_line())
            totals.copied += not copied.was_there
            totals.copied_bytes += 0 if copied.was_there else copied.stored.bytes
    return lost


def _merge(folder: Folder, names: Iterable[str], into: str) -> tuple[int, int]:
    """Write one list of several; return how many objects and bytes it names."""
    count = size = 0
    lists = [folder.listed(name) for name in names]
    with written(folder.path / into) as file:
        for stored in heapq.merge(*lists, key=lambda each: each.key):
            file.write(stored.as_line().encode())
            count, size = count + 1, size + stored.bytes
    return count, size


def restore(path: Path, *, replaces: bool = False, say: Callable[[str], object] = print) -> RestoreResult:
    """Bring back objects and database from a folder, migrate, and prove ledger and library.

    Nothing is changed before the folder was looked at. Raises BackupError if the database is in use
    (unless `replaces`), if workers run, and if the backup is damaged or does not fit; StorageUnavailable.
    """
    folder = Folder(path)
    manifest = folder.manifest()
    copy = path / manifest.database.file
    database.check_fits(manifest.database, manifest.migrations)
    if hash_of(copy) != manifest.database.sha256:
        raise BackupError(_("The copy of the database in %(folder)s is damaged.") % {"folder": path})
    if not (path / manifest.objects).is_file():
        raise BackupError(_("%(folder)s lacks its list of objects.") % {"folder": path})
    _check_nobody_works()
    if not database.is_empty() and not replaces:
        raise BackupError(
            _("The database is not empty. --replace puts the backup in its place; what is in it is lost.")
        )
    result = RestoreResult(manifest)
    say(_("Storing %(count)s objects ...") % {"count": manifest.object_count})
    _restore_objects(folder, result)
    say(_("Loading the database of %(when)s ...") % {"when": manifest.taken_at})
    database.load(copy, manifest.database)
    result.problems += _compare_rows(manifest)
    bootstrap.prepare_database()
    ContentType.objects.clear_cache()
    result.adopted = adopt.adopt_stored()
    say(_("Proving the ledger and the library ..."))
    _prove(result)
    return result


def _restore_objects(folder: Folder, result: RestoreResult) -> None:
    bootstrap.prepare_storage()
    for copied in objects.copy_to_storage(folder, result.manifest.objects):
        result.were_there += copied.was_there
        result.copied += not (copied.was_there or copied.problem)
        if copied.problem:
            result.problems.append(f"{copied.problem}: {copied.stored.key}")


def _compare_rows(manifest: Manifest) -> list[str]:
    found = database.rows()
    return [
        _("%(table)s has %(found)s rows, and %(expected)s were backed up.")
        % {"table": table, "found": found.get(table, 0), "expected": expected}
        for table, expected in manifest.rows.items()
        if found.get(table, 0) != expected
    ]


def _prove(result: RestoreResult) -> None:
    """Check ledger, library and the keys of providers; what follows from an original is made again."""
    result.ledger = integrity_check.problems()
    result.problems += result.ledger
    known = set(result.manifest.missing)
    for problem in find_problems(Check(repairs=True, still_needed=persist.still_needed)):
        result.library[problem.kind] += 1
        text = f"{Kind(problem.kind).label}: {problem.subject}"
        if problem.kind == Kind.ORPHANED or problem.subject in known:
            result.notes.append(text)
        elif problem.remains:
            result.problems.append(text)
    for upstream in Upstream.objects.exclude(encrypted_key=""):
        result.keys += 1
        try:
            encryption.decrypt(upstream.encrypted_key)
        except encryption.Undecryptable as problem:
            result.problems.append(f"{upstream.name}: {problem}")
        else:
            result.keys_readable += 1
    if secret_key_check() != result.manifest.secret_key:
        result.notes.append(
            _("SECRET_KEY is not the one of the backup: share links and links in mails lead nowhere.")
        )


def _check_nobody_works() -> None:
    """Raise BackupError if workers run; if Redis does not answer, none can."""
    try:
        alive = [worker for worker in heartbeats.known_workers() if worker.is_alive]
    except RedisError:
        return
    if alive:
        raise BackupError(_("Workers are running: stop the portal first, web and beat too."))


def secret_key_check() -> str:
    """What recognises SECRET_KEY again, and does not tell it."""
    return salted_hmac(SALT, "secret key", secret=settings.SECRET_KEY, algorithm="sha256").hexdigest()[:16]
