"""`manage.py audit_ledger`: proves that the ledger is exact."""

from typing import Any

from django.core.management.base import BaseCommand

from generations.credits import integrity_check


class Command(BaseCommand):
    help = "Check that every balance is the sum of its lines. Exits with 1 and says what is wrong if not."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what is wrong, a line each, and exit with 1; else say that it is exact."""
        problems = integrity_check.problems()
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            raise SystemExit(1)
        self.stdout.write("The ledger is exact.")
