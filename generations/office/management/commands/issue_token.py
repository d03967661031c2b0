"""`manage.py issue_token EMAIL`: a token for a program that acts for that person."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from generations.office.tokens import service as tokens_service
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Membership, Scope

LONGEST = 3650


def days(text: str) -> int:
    """A number of days."""
    if not text.isdecimal() or not 1 <= int(text[:9]) <= LONGEST:
        raise ArgumentTypeError(f"“{text[:40]}” is not a number of days from 1 to {LONGEST}.")
    return int(text)


class Command(BaseCommand):
    help = "Make an API token for a member of a team, and print it last, alone on its line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose token it is, and what it is good for."""
        parser.add_argument("email", help="who signs in by that address")
        parser.add_argument("--team", help="name or address; the person's first team if not given")
        parser.add_argument("--name", default="issue_token", help="what it is called on the page of tokens")
        parser.add_argument(
            "--scopes",
            nargs="+",
            choices=Scope.values,
            default=[Scope.GENERATE.value, Scope.READ.value],
            help="what it is good for: generate and read if not given",
        )
        parser.add_argument("--days", type=days, help="good for so long; for ever if not given")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the token, and print it: nobody can ask for it again."""
        member = self.member(options["email"], options["team"])
        lasts = options["days"]
        expires_at = timezone.now() + timedelta(days=lasts) if lasts else None
        try:
            token, secret = tokens_service.issue(
                member=member, name=options["name"][:120], scopes=options["scopes"], expires_at=expires_at
            )
        except tokens_service.TooManyTokens as problem:
            raise CommandError(str(problem)) from None
        except teams_api_tokens.ScopeRefused as problem:
            raise CommandError(f"{problem} {member} is {member.role} of {member.team}.") from None
        self.stderr.write(f"{token.name}: {member} in {member.team.name} ({', '.join(token.scopes)})")
        self.stdout.write(secret)

    def member(self, email: str, team: str | None) -> Membership:
        """The membership that is meant; of several the oldest."""
        theirs = Membership.objects.filter(user__email=email.lower(), user__is_active=True, ended_at=None)
        here = theirs.filter(team__deactivated_at=None).select_related("team", "user").order_by("pk")
        if team is not None:
            found = here.filter(team__slug=team).first() or here.filter(team__name__iexact=team).first()
            where = f"in the team {team}"
        else:
            found, where = here.first(), "in any team"
        if found is None:
            raise CommandError(f"Nobody {where} signs in as {email}.")
        return found
