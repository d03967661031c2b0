"""`manage.py sandbox`: a provider to try things with, before anyone has a key."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext_lazy as _

from generations.sandbox import server
from generations.sandbox.options import Options, declare


class Command(BaseCommand):
    """Serve the stand-in provider until Ctrl-C."""

    help = str(_("Serve a stand-in for Stability's API that draws pictures itself."))
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the same options as `python -m generations.sandbox`."""
        declare(parser)

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Run the server in this process."""
        server.serve(Options.from_arguments(options))
