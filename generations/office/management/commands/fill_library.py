"""`manage.py fill_library COUNT --team NAME`: a large library, to try the portal's speed on."""

from argparse import ArgumentParser
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from generations.library.maintenance import seed as maintenance_seed
from generations.office.members import service as members_service
from generations.teams import users as teams_users
from generations.teams.models import Role, Team, User

ADDRESS = "filler-{number}@example.invalid"


class Command(BaseCommand):
    help = (
        "Fill a team's library with made-up pictures, to try its speed. A few real pictures serve them all. "
        "The team is made if it is new, and people are added who cannot sign in."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How much of everything."""
        parser.add_argument("count", type=int, help="pictures; a million takes some minutes")
        parser.add_argument("--team", required=True, help="name or address; made if new")
        parser.add_argument("--people", type=int, default=40, help="who made them, besides who is there")
        parser.add_argument("--tags", type=int, default=10_000)
        parser.add_argument("--collections", type=int, default=1_000)
        parser.add_argument("--seed", type=int, default=1, help="the same number makes the same words")

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill it, and tell how far it is."""
        if options["count"] < 1:
            raise CommandError("Say how many pictures, such as 1000000.")
        team, began = self.team(options["team"]), monotonic()
        for number in range(options["people"]):
            self.person(team, ADDRESS.format(number=number + 1))
        maintenance_seed.seed_library(
            team,
            options["count"],
            tags=options["tags"],
            collections=options["collections"],
            seed=options["seed"],
            on_progress=self.tell,
        )
        self.plan()
        self.stdout.write(
            f"{options['count']:,} pictures in {monotonic() - began:.0f} s: /t/{team.slug}/library/"
        )

    def plan(self) -> None:
        """Let the database know what it has now, before anybody asks."""
        statement = {"postgresql": "VACUUM ANALYZE", "sqlite": "ANALYZE"}[connection.vendor]
        if connection.in_atomic_block:
            statement = "ANALYZE"
        with connection.cursor() as cursor:
            cursor.execute(statement)

    def team(self, name: str) -> Team:
        """The team that is meant, made if there is none."""
        teams = Team.objects.order_by("pk")
        found = teams.filter(slug=name).first() or teams.filter(name__iexact=name).first()
        return found or members_service.open_team(name)

    def person(self, team: Team, email: str) -> None:
        """Somebody who made pictures, and cannot sign in."""
        user = User.objects.filter(email=email).first() or teams_users.add(email=email, password=None)
        if not user.memberships.filter(team=team).exists():
            members_service.admit(user=user, team=team, role=Role.MEMBER)

    def tell(self, count: int) -> None:
        """One line for each hundred thousand."""
        if count % 100_000 == 0:
            self.stdout.write(f"{count:,} pictures ...")
