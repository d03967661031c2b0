"""`manage.py sandbox`: run the sandbox provider."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext_lazy as _

from generations.sandbox import server
from generations.sandbox.options import Options, add_arguments


class Command(BaseCommand):
    """Run the sandbox provider until Ctrl-C."""

    help = str(_("Run the sandbox provider: Stability's API with images that are drawn here."))
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options of `python -m generations.sandbox`."""
        add_arguments(parser)

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Run the server in this process."""
        server.serve(Options.from_arguments(options))
