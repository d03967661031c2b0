"""`manage.py fill_library COUNT --team NAME`: fills a library with generated data, for performance tests."""

from argparse import ArgumentParser
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from generations.library.maintenance import seed as maintenance_seed
from generations.office.management import teams as management_teams
from generations.office.members import service as members_service
from generations.teams import users as teams_users
from generations.teams.models import Role, Team, User

ADDRESS = "filler-{number}@example.invalid"


class Command(BaseCommand):
    help = (
        "Fill a team's library with generated rows, for performance tests. All rows share a few image files. "
        "The team is created if it is new; members are added who cannot sign in."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments."""
        parser.add_argument("count", type=int, help="pictures; a million takes some minutes")
        parser.add_argument("--team", required=True, help="name or slug; created if new")
        parser.add_argument("--people", type=int, default=40, help="members to add as owners of the pictures")
        parser.add_argument("--tags", type=int, default=10_000)
        parser.add_argument("--collections", type=int, default=1_000)
        parser.add_argument("--seed", type=int, default=1, help="seed of the random generator")

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill the library and print the progress."""
        if options["count"] < 1:
            raise CommandError("Say how many pictures, such as 1000000.")
        team, started = management_teams.find_or_create(options["team"]), monotonic()
        for number in range(options["people"]):
            self.add_member(team, ADDRESS.format(number=number + 1))
        maintenance_seed.seed_library(
            team,
            options["count"],
            tags=options["tags"],
            collections=options["collections"],
            seed=options["seed"],
            on_progress=self.print_progress,
        )
        self.analyze()
        self.stdout.write(
            f"{options['count']:,} pictures in {monotonic() - started:.0f} s: /t/{team.slug}/library/"
        )

    def analyze(self) -> None:
        """Update the statistics of the database's query planner."""
        statement = {"postgresql": "VACUUM ANALYZE", "sqlite": "ANALYZE"}[connection.vendor]
        if connection.in_atomic_block:
            statement = "ANALYZE"
        with connection.cursor() as cursor:
            cursor.execute(statement)

    def add_member(self, team: Team, email: str) -> None:
        """Add a member without a password, unless the team has one with that address."""
        user = User.objects.filter(email=email).first() or teams_users.create(email=email, password=None)
        if not user.memberships.filter(team=team).exists():
            members_service.add_member(user=user, team=team, role=Role.MEMBER)

    def print_progress(self, count: int) -> None:
        """Print a line for each hundred thousand pictures."""
        if count % 100_000 == 0:
            self.stdout.write(f"{count:,} pictures ...")
