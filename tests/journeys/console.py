"""`manage.py` of a running portal, for many commands one after the other: starting Django takes seconds.

As a program it reads the arguments of each command as a line of JSON; it writes whether that succeeded, and
what it said.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import traceback
from collections.abc import Mapping

import django
from django.core.management import call_command

from sdweb.process.local_environment import BASE_DIR


class Console:
    """The program, from outside."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.journeys.console"],
            cwd=BASE_DIR,
            env={**environment, "DJANGO_SETTINGS_MODULE": "sdweb.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def manage(self, *arguments: str) -> str:
        """What a command says; it must succeed."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(arguments) + "\n")
        self.process.stdin.flush()
        succeeded, said = json.loads(self.process.stdout.readline())
        assert succeeded, said
        return said

    def close(self) -> None:
        """End it."""
        self.process.communicate(timeout=30)


def obey(arguments: list[str]) -> tuple[bool, str]:
    """Run a command as `manage.py` does; whether it succeeded, and what it said."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        try:
            call_command(*arguments)
        except (Exception, SystemExit):  # the next command is obeyed all the same
            return False, said.getvalue() + traceback.format_exc()
    return True, said.getvalue()


if __name__ == "__main__":
    django.setup()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(obey(json.loads(line))) + "\n")
        sys.stdout.flush()
