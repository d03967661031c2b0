"""`manage.py add_user EMAIL`: adds a person to a team, without prompting."""

from argparse import ArgumentParser, ArgumentTypeError
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from generations.credits.amounts import MAX_AMOUNT, from_credits, in_credits
from generations.office.management import teams as management_teams
from generations.office.members import service as members_service
from generations.teams import membership, password_reset
from generations.teams import users as teams_users
from generations.teams.models import Role, Team, User

FIRST_TEAM = "Studio"


def email_address(text: str) -> str:
    """Return an email address in lower case."""
    try:
        validate_email(text)
    except ValidationError:
        raise ArgumentTypeError(f"“{text}” is not an email address.") from None
    return text.lower()


def credits_amount(text: str) -> int:
    """Return a number of credits, in hundredths."""
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
        """Add the arguments."""
        parser.add_argument("email", type=email_address)
        parser.add_argument("--password", help="without it, a link to set one is printed")
        parser.add_argument("--team", help="name or slug, created if new; by default the first team")
        parser.add_argument("--role", choices=Role.values, default=Role.MEMBER.value)
        parser.add_argument("--operator", action="store_true", help="allow the back office")
        parser.add_argument(
            "--credits", type=credits_amount, default=0, help="issued to the team, then granted"
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Add the person, the team and the credits, all or nothing, and print what happened."""
        user, is_new = self.get_or_create_user(options["email"], options["password"])
        if options["operator"]:
            teams_users.make_operator(user)
        team = self.get_team(options["team"])
        try:
            members_service.add_member(
                user=user, team=team, role=Role(options["role"]), granted=options["credits"]
            )
        except membership.AlreadyMember as problem:
            raise CommandError(f"{problem} Nothing was changed.") from None
        self.report(user, team, options, is_new=is_new)

    def get_or_create_user(self, email: str, password: str | None) -> tuple[User, bool]:
        """Return the user with that address, and whether it was created."""
        user = User.objects.filter(email=email).first()
        if user:
            return user, False
        try:
            return teams_users.create(email=email, password=password), True
        except teams_users.EmailTaken as problem:
            raise CommandError(f"{problem} Nothing was changed.") from None

    def get_team(self, name: str | None) -> Team:
        """Return the team with that name or slug, by default the first team; created if there is none."""
        if name is None:
            return Team.objects.order_by("pk").first() or members_service.create_team(FIRST_TEAM)
        return management_teams.find_or_create(name)

    def report(self, user: User, team: Team, options: dict[str, Any], *, is_new: bool) -> None:
        """Print what happened, and how the person signs in."""
        role = Role(options["role"]).label.lower()
        self.stdout.write(f"{user.email} is now in {team.name} (/t/{team.slug}/) as {role}.")
        if options["operator"]:
            self.stdout.write("They may run the installation.")
        if options["credits"]:
            self.stdout.write(f"{in_credits(options['credits'])} issued and granted.")
        if not is_new:
            self.stdout.write("They had an account before: their password stays as it was.")
        elif not options["password"]:
            self.stdout.write("They set their password here:")
            self.stdout.write(password_reset.reset_url(user))
