"""`manage.py export_library`: write a team's originals and a manifest to a folder."""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generations.library.maintenance import export as maintenance_export
from generations.teams.models import Team


class Command(BaseCommand):
    help = (
        "Write a team's images and manifest.json into a folder. May be repeated: files that exist are only "
        "checked. Exits with 1 if something could not be written."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The folder, the team, and which images."""
        parser.add_argument("folder", type=Path, metavar="FOLDER")
        parser.add_argument("--team", required=True, metavar="NAME", help="name or address")
        parser.add_argument("--since", type=date.fromisoformat, metavar="DATE", help="2026-01-31")
        parser.add_argument("--with-trash", action="store_true", help="include the trash")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the errors and how many files were written; exit with 1 if there was an error."""
        name, written, existed, failed = options["team"], 0, 0, 0
        team = Team.objects.filter(slug=name).first() or Team.objects.filter(name__iexact=name).first()
        if team is None:
            raise CommandError(f"There is no team called {name}.")
        filters = {"since": options["since"], "with_trash": options["with_trash"]}
        try:
            for exported in maintenance_export.export(team=team, folder=options["folder"], **filters):
                existed += exported.existed
                failed += bool(exported.error)
                written += not (exported.existed or exported.error)
                if exported.error:
                    self.stderr.write(f"{exported.image.pk}: {exported.error}")
        except OSError as error:
            raise CommandError(f"{options['folder']} cannot be written: {error}") from error
        self.stdout.write(f"{written} written, {existed} there before, {failed} failed: {options['folder']}")
        if failed:
            raise SystemExit(1)
