"""`manage.py restore`: bring an installation back from a folder of `manage.py backup`, and prove it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from generations.library.maintenance.check import Kind
from generations.library.storage.client import StorageUnavailable
from generations.office.backup import revocation
from generations.office.backup import service as backup_service
from generations.office.backup.folder import BackupError
from generations.office.backup.service import RestoreResult
from sdweb.process.embedded_storage import embedded_storage
from sdweb.process.program import StartError


class Command(BaseCommand):
    """Bring pictures and database back from a folder of `backup`, migrate, and prove ledger and library.

    Stop the portal first. Exits with 1 if something is not as it was backed up.
    """

    help = __doc__
    requires_system_checks = ()  # there may be no tables yet

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The folder, and what may be lost or ended."""
        parser.add_argument("folder", type=Path, metavar="FOLDER")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="replace a database that is not empty: what is in it is lost",
        )
        parser.add_argument(
            "--revoke", action="store_true", help="end all API tokens, share links, invitations and sessions"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore, revoke, and print the figures."""
        folder: Path = options["folder"]
        try:
            with embedded_storage():
                result = backup_service.restore(folder, replaces=options["replace"], say=self.stdout.write)
        except (BackupError, StorageUnavailable, StartError) as error:
            raise CommandError(error) from error
        except OSError as error:
            raise CommandError(f"{error.filename or folder}: {error.strerror}") from error
        if options["revoke"]:
            ended = revocation.revoke_all()
            self.stdout.write(
                _("Revoked: %(tokens)s tokens, %(links)s links, %(invitations)s invitations.") % vars(ended)
            )
        self.print_result(result)
        if result.problems:
            raise SystemExit(1)

    def print_result(self, result: RestoreResult) -> None:
        """Print each problem, and the figures."""
        for note in result.notes:
            self.stdout.write(note)
        for problem in result.problems:
            self.stderr.write(problem)
        figures = {
            "rows": sum(result.manifest.rows.values()),
            "objects": result.manifest.object_count,
            "copied": result.copied,
            "there": result.were_there,
            "entries": result.manifest.rows.get("credits_transfer", 0),
            "keys": result.keys,
            "readable": result.keys_readable,
        }
        self.stdout.write(_("Database: %(rows)s rows.") % figures)
        self.stdout.write(_("Objects: %(objects)s; %(copied)s stored, %(there)s there before.") % figures)
        if result.adopted:
            text = _("Pictures that were under way and are in the backup: %(count)s.")
            self.stdout.write(text % {"count": result.adopted})
        if not result.ledger:
            self.stdout.write(_("Ledger: exact, %(entries)s entries.") % figures)
        found = ", ".join(f"{kind.label} {result.library[kind]}" for kind in Kind if result.library[kind])
        self.stdout.write(_("Library: %(found)s.") % {"found": found or _("whole")})
        self.stdout.write(_("Keys of providers: %(readable)s of %(keys)s can be read.") % figures)
        self.stdout.write(
            _("Everybody signs in again.") if not result.problems else _("Not all is as it was backed up.")
        )
