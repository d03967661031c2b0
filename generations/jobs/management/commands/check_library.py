"""`manage.py check_library`: compare the rows of the library with the objects in storage.

It is in this room because only jobs know which objects belong to unfinished generations.
"""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generations.jobs.engine import persist
from generations.library.maintenance import derived_check, object_check
from generations.library.maintenance.check import Check, Kind, Problem
from generations.library.storage import client as storage_client
from generations.teams.models import Team

NO_LISTING = (
    "The storage key may not list the bucket (s3:ListBucket), so each object that a row names is asked for by"
    " itself, and objects of no row are not found."
)


class Command(BaseCommand):
    help = "Compare the library's rows with the objects in storage, both ways. Exits with 1 if one is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add options; without them nothing is changed."""
        parser.add_argument(
            "--team", metavar="NAME", help="name or address; only this team's rows and uploads"
        )
        parser.add_argument("--quick", action="store_true", help="do not read the bytes")
        parser.add_argument(
            "--repair", action="store_true", help="make wrong thumbnails and search entries again"
        )
        parser.add_argument(
            "--remove-orphans", action="store_true", help="remove objects without a row, older than a day"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print each problem, then how many of each kind; exit with 1 if any remains."""
        may_list = _may_list()
        if not may_list and options["remove_orphans"]:
            raise CommandError("--remove-orphans needs a key that may list the bucket (s3:ListBucket).")
        check = Check(
            team=_team(options["team"]) if options["team"] else None,
            is_quick=options["quick"],
            repairs=options["repair"],
            removes_orphans=options["remove_orphans"],
            may_list=may_list,
            still_needed=persist.still_needed,
        )
        if not may_list:
            self.stdout.write(NO_LISTING)
        found, repaired, remaining = Counter[str](), Counter[str](), 0
        try:
            for problem in find_problems(check):
                found[problem.kind] += 1
                repaired[problem.kind] += problem.is_repaired
                remaining += problem.remains
                self.print_problem(problem)
        except storage_client.StorageUnavailable as error:
            raise CommandError(error) from error
        for kind in Kind:
            suffix = f", repaired {repaired[kind]}" if repaired[kind] else ""
            self.stdout.write(f"{kind.label}: {found[kind]}{suffix}")
        if remaining:
            raise SystemExit(1)

    def print_problem(self, problem: Problem) -> None:
        """Print one line; thumbnails that were not made yet are only counted, since there may be many."""
        if problem.kind == Kind.UNMADE:
            return
        detail = f" ({problem.detail})" if problem.detail else ""
        repaired = " - repaired" if problem.is_repaired else ""
        self.stdout.write(f"{problem.kind.label}: {problem.subject}{detail}{repaired}")


def find_problems(check: Check) -> Iterator[Problem]:
    """Yield all problems as they are found, and repaired if the check says so; memory is bounded.

    Raises StorageUnavailable.
    """
    return chain(object_check.compare(check), derived_check.compare(check), object_check.verify_hashes(check))


def _may_list() -> bool:
    try:
        return storage_client.may_list()
    except storage_client.StorageUnavailable as error:
        raise CommandError(error) from error


def _team(name: str) -> Team:
    team = Team.objects.filter(slug=name).first() or Team.objects.filter(name__iexact=name).first()
    if team is None:
        raise CommandError(f"There is no team called {name}.")
    return team
