"""`manage.py issue_token EMAIL`: issues an API token that acts for a member of a team."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from generations.office.tokens import service as tokens_service
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Membership, Scope

MAX_DAYS = 3650


def days(text: str) -> int:
    """Return a number of days."""
    if not text.isdecimal() or not 1 <= int(text[:9]) <= MAX_DAYS:
        raise ArgumentTypeError(f"“{text[:40]}” is not a number of days from 1 to {MAX_DAYS}.")
    return int(text)


class Command(BaseCommand):
    help = "Issue an API token for a member of a team, and print it alone on the last line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments."""
        parser.add_argument("email", help="address by which the member signs in")
        parser.add_argument("--team", help="name or slug; by default the person's first team")
        parser.add_argument("--name", default="issue_token", help="name on the page of tokens")
        parser.add_argument(
            "--scopes",
            nargs="+",
            choices=Scope.values,
            default=[Scope.GENERATE.value, Scope.READ.value],
            help="scopes; by default generate and read",
        )
        parser.add_argument("--days", type=days, help="days until it expires; by default never")

    def handle(self, *args: Any, **options: Any) -> None:
        """Issue the token and print it; it cannot be shown again."""
        member = self.get_member(options["email"], options["team"])
        lifetime = options["days"]
        expires_at = timezone.now() + timedelta(days=lifetime) if lifetime else None
        try:
            token, secret = tokens_service.issue(
                member=member, name=options["name"][:120], scopes=options["scopes"], expires_at=expires_at
            )
        except tokens_service.TooManyTokens as problem:
            raise CommandError(str(problem)) from None
        except teams_api_tokens.ScopeNotAllowed as problem:
            raise CommandError(f"{problem} {member} is {member.role} of {member.team}.") from None
        self.stderr.write(f"{token.name}: {member} in {member.team.name} ({', '.join(token.scopes)})")
        self.stdout.write(secret)

    def get_member(self, email: str, team: str | None) -> Membership:
        """Return the membership of that address and team; of several the oldest."""
        memberships = Membership.objects.filter(
            user__email=email.lower(), user__is_active=True, ended_at=None
        )
        present = memberships.filter(team__deactivated_at=None).select_related("team", "user").order_by("pk")
        if team is not None:
            found = present.filter(team__slug=team).first() or present.filter(team__name__iexact=team).first()
            where = f"in the team {team}"
        else:
            found, where = present.first(), "in any team"
        if found is None:
            raise CommandError(f"Nobody {where} signs in as {email}.")
        return found
