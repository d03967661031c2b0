"""`manage.py check_library`: compare the rows of the library with the objects in storage.

It is in this room because only jobs know which objects belong to unfinished generations.
"""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generations.jobs.engine import persist
from generations.library.findings import Check, Kind, Problem
from generations.library.maintenance import check as maintenance_check
from generations.library.storage.client import StorageUnavailable
from generations.teams.models import Team


class Command(BaseCommand):
    help = "Compare the library's rows with the objects in storage, both ways. Exits with 1 if one is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add options; without them nothing is changed."""
        parser.add_argument(
            "--team", metavar="NAME", help="name or address; only this team's rows and uploads"
        )
        parser.add_argument("--quick", action="store_true", help="do not read the bytes")
        parser.add_argument(
            "--repair", action="store_true", help="make thumbnails and search entries anew that are not right"
        )
        parser.add_argument(
            "--remove-orphans", action="store_true", help="remove objects without a row, older than a day"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print each problem, then how many of each kind; exit with 1 if any remains."""
        check = Check(
            team=_team(options["team"]) if options["team"] else None,
            is_quick=options["quick"],
            repairs=options["repair"],
            removes_orphans=options["remove_orphans"],
            still_needed=persist.still_needed,
        )
        found, mended, remain = Counter[str](), Counter[str](), 0
        try:
            for problem in maintenance_check.problems(check):
                found[problem.kind] += 1
                mended[problem.kind] += problem.is_mended
                remain += problem.remains
                self.report(problem)
        except StorageUnavailable as problem:
            raise CommandError(problem) from problem
        for kind in Kind:
            about = f", mended {mended[kind]}" if mended[kind] else ""
            self.stdout.write(f"{kind.label}: {found[kind]}{about}")
        if remain:
            raise SystemExit(1)

    def report(self, problem: Problem) -> None:
        """Print a line for each problem; thumbnails that were never made are only counted."""
        if problem.kind == Kind.UNMADE:
            return
        words = f" ({problem.words})" if problem.words else ""
        mended = " - mended" if problem.is_mended else ""
        self.stdout.write(f"{problem.kind.label}: {problem.about}{words}{mended}")


def _team(name: str) -> Team:
    found = Team.objects.filter(slug=name).first() or Team.objects.filter(name__iexact=name).first()
    if found is None:
        raise CommandError(f"There is no team called {name}.")
    return found
