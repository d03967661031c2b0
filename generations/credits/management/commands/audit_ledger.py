"""`manage.py audit_ledger`: check that the ledger is exact."""

from typing import Any

from django.core.management.base import BaseCommand

from generations.credits import integrity_check


class Command(BaseCommand):
    help = "Check that every balance is the sum of its ledger entries; print each error and exit with 1."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print each error on a line and exit with 1, or print that the ledger is exact."""
        problems = integrity_check.problems()
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            raise SystemExit(1)
        self.stdout.write("The ledger is exact.")
