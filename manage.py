#!/usr/bin/env python3
"""Django's command line; `portal` alone makes up the settings that are missing."""

import os
import sys

try:
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
except ImportError:
    sys.exit(
        "Django is not installed for this Python: use `make run`, then `.venv/bin/python manage.py ...`."
    )

from sdweb.process import local_environment


def main() -> None:
    """Run one command; a setting that is missing is said in one sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sdweb.settings")
    try:
        if sys.argv[1:2] == ["portal"]:
            local_environment.invent(os.environ)
        elif not os.environ.get("DATABASE_URL"):
            local_environment.recall(os.environ)
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
