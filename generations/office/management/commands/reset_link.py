"""`manage.py reset_url EMAIL`: prints a link to set a new password, for installations that send no mail."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generations.teams import password_reset
from generations.teams.models import User


class Command(BaseCommand):
    help = "Print a link on which the person sets a new password. It works once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the argument."""
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the link and nothing else, so that scripts can use it."""
        user = User.objects.filter(email=options["email"].lower(), is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody signs in as {options['email']}.")
        self.stdout.write(password_reset.reset_url(user))
