"""`manage.py setup`: prepares an installation, before the first start and after each update."""

import os
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from generations.office.installation import bootstrap as installation_bootstrap
from generations.office.members import service as members_service
from generations.teams import password_reset


class Command(BaseCommand):
    """Create tables, bucket, upstream and the first operator, as far as they are missing."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the operator's address, by default from the environment."""
        parser.add_argument("--email", default=os.environ.get("SETUP_OPERATOR_EMAIL", ""))

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        """Prepare everything. Safe to run any number of times."""
        installation_bootstrap.prepare_database()
        self.stdout.write(_("The database is ready."))
        installation_bootstrap.prepare_storage()
        self.stdout.write(_("The bucket is ready."))
        installation_bootstrap.connect_upstream()
        self._create_operator(email.strip())

    def _create_operator(self, email: str) -> None:
        """Create the first operator and print a link by which they set a password."""
        try:
            validate_email(email)
        except ValidationError as problem:
            raise CommandError(
                _("Say who runs this installation: --email you@example.com, or SETUP_OPERATOR_EMAIL.")
            ) from problem
        operator = members_service.create_first_operator(email=email)
        if operator is None:
            self.stdout.write(_("There is an operator already; `reset_url EMAIL` prints a link to sign in."))
        else:
            self.stdout.write(_("Claim your account %(email)s here:") % {"email": operator.email})
            self.stdout.write(password_reset.reset_url(operator))
