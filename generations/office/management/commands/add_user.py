"""`manage.py add_user EMAIL`: lets a person in, without asking anything."""

from argparse import ArgumentParser, ArgumentTypeError
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from generations.credits.amounts import MAX_AMOUNT, as_text, from_credits
from generations.office.members import service as members_service
from generations.teams import membership, password_reset
from generations.teams import users as teams_users
from generations.teams.models import Role, Team, User

FIRST_TEAM = "Studio"


def address(text: str) -> str:
    """An email address in lower case."""
    try:
        validate_email(text)
    except ValidationError:
        raise ArgumentTypeError(f"“{text}” is not an email address.") from None
    return text.lower()


def amount(text: str) -> int:
    """A number of credits, in hundredths."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ArgumentTypeError(f"“{text}” is not a number of credits, such as 100 or 12.50.") from None
    if not number.is_finite() or number <= 0 or number * 100 > MAX_AMOUNT:
        raise ArgumentTypeError("Credits are more than 0, and at most 10,000,000,000.")
    if number != round(number, 2):
        raise ArgumentTypeError("Credits have at most two decimals.")
    return from_credits(number)


class Command(BaseCommand):
    help = "Add a person to a team. Their address counts as confirmed; without --password a link is printed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What may be said about the person."""
        parser.add_argument("email", type=address)
        parser.add_argument("--password", help="else a link is printed on which the person sets one")
        parser.add_argument("--team", help="name or address; made if new; the first team if not given")
        parser.add_argument("--role", choices=Role.values, default=Role.MEMBER.value)
        parser.add_argument("--operator", action="store_true", help="may run the installation")
        parser.add_argument("--credits", type=amount, default=0, help="issued to the pool, then granted")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Add the person, the team and the credits, all or nothing, and print what happened."""
        user, is_new = self.person(options["email"], options["password"])
        if options["operator"]:
            teams_users.make_operator(user)
        team = self.team(options["team"])
        try:
            members_service.admit(
                user=user, team=team, role=Role(options["role"]), granted=options["credits"]
            )
        except membership.AlreadyIn as problem:
            raise CommandError(f"{problem} Nothing was changed.") from None
        self.tell(user, team, options, is_new=is_new)

    def person(self, email: str, password: str | None) -> tuple[User, bool]:
        """Who has that address, and whether they are new."""
        user = User.objects.filter(email=email).first()
        if user:
            return user, False
        try:
            return teams_users.add(email=email, password=password), True
        except teams_users.AddressTaken as problem:
            raise CommandError(f"{problem} Nothing was changed.") from None

    def team(self, name: str | None) -> Team:
        """The team that is meant, made if there is none."""
        teams = Team.objects.order_by("pk")
        if name is None:
            return teams.first() or members_service.open_team(FIRST_TEAM)
        found = teams.filter(slug=name).first() or teams.filter(name__iexact=name).first()
        return found or members_service.open_team(name)

    def tell(self, user: User, team: Team, options: dict[str, Any], *, is_new: bool) -> None:
        """Print what happened, and how the person signs in."""
        role = Role(options["role"]).label.lower()
        self.stdout.write(f"{user.email} is now in {team.name} (/t/{team.slug}/) as {role}.")
        if options["operator"]:
            self.stdout.write("They may run the installation.")
        if options["credits"]:
            self.stdout.write(f"{as_text(options['credits'])} credits were issued and granted.")
        if not is_new:
            self.stdout.write("They had an account before: their password stays as it was.")
        elif not options["password"]:
            self.stdout.write("They set their password here:")
            self.stdout.write(password_reset.reset_link(user))
