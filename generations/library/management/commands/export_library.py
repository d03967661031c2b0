"""`manage.py export_library`: a team's originals as files, with a manifest."""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generations.library.maintenance import export as maintenance_export
from generations.teams.models import Team


class Command(BaseCommand):
    help = (
        "Write a team's images and manifest.json into a folder. May be repeated: what is there already is "
        "only checked. Exits with 1 if something could not be written."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose, where to, and which."""
        parser.add_argument("folder", type=Path, metavar="FOLDER")
        parser.add_argument("--team", required=True, metavar="NAME", help="name or address")
        parser.add_argument("--since", type=date.fromisoformat, metavar="DATE", help="2026-01-31")
        parser.add_argument("--with-trash", action="store_true", help="what lies in the trash too")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what could not be written, and how much was; exit with 1 if anything could not."""
        name, written, there, failed = options["team"], 0, 0, 0
        team = Team.objects.filter(slug=name).first() or Team.objects.filter(name__iexact=name).first()
        if team is None:
            raise CommandError(f"There is no team called {name}.")
        about = {"since": options["since"], "with_trash": options["with_trash"]}
        try:
            for done in maintenance_export.export(team=team, folder=options["folder"], **about):
                there += done.was_there
                failed += bool(done.error)
                written += not (done.was_there or done.error)
                if done.error:
                    self.stderr.write(f"{done.image.pk}: {done.error}")
        except OSError as problem:
            raise CommandError(f"{options['folder']} cannot be written: {problem}") from problem
        self.stdout.write(f"{written} written, {there} there before, {failed} failed: {options['folder']}")
        if failed:
            raise SystemExit(1)
