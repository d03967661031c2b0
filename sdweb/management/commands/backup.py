"""`manage.py backup`: copy the database and all pictures to a folder, while the portal runs."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from generations.library.storage.client import StorageUnavailable
from generations.office.backup import service as backup_service
from generations.office.backup.folder import BackupError
from sdweb.process.embedded_storage import embedded_storage
from sdweb.process.program import StartError


class Command(BaseCommand):
    """Copy the database and all pictures to a folder; what is there with the same hash is not copied again.

    The portal may run meanwhile. Exits with 1 if storage lacks a picture. SECRET_KEY and ENCRYPTION_KEYS
    are not in the folder: keep them elsewhere.
    """

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The folder, and whether its files are read."""
        parser.add_argument("folder", type=Path, metavar="FOLDER")
        parser.add_argument(
            "--quick", action="store_true", help="compare files that are there by size, without reading them"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Back up, and print what the folder holds."""
        folder: Path = options["folder"]
        try:
            with embedded_storage():
                result = backup_service.back_up(folder, quick=options["quick"])
        except (BackupError, StorageUnavailable, StartError) as error:
            raise CommandError(error) from error
        except OSError as error:
            raise CommandError(f"{error.filename or folder}: {error.strerror}") from error
        manifest = result.manifest
        for problem in result.problems:
            self.stderr.write(problem)
        database = {"size": filesizeformat(manifest.database.bytes), "rows": sum(manifest.rows.values())}
        self.stdout.write(_("Database: %(rows)s rows, %(size)s.") % database)
        pictures = {
            "all": manifest.object_count,
            "size": filesizeformat(manifest.object_bytes),
            "copied": result.copied,
            "copied_size": filesizeformat(result.copied_bytes),
            "there": result.were_there,
        }
        self.stdout.write(
            _("Objects: %(all)s, %(size)s; %(copied)s copied (%(copied_size)s), %(there)s there before.")
            % pictures
        )
        self.stdout.write(_("Backed up to %(folder)s.") % {"folder": folder})
        if result.problems:
            raise SystemExit(1)
