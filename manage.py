#!/usr/bin/env python3
"""Django's command line, and `portal`, which is none of Django's commands and generates missing settings."""

import os
import sys

try:
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
except ImportError:
    sys.exit(
        "Django is not installed for this Python: use `make run`, then `.venv/bin/python manage.py ...`."
    )

from sdweb.process import local_environment, run_portal


def main() -> None:
    """Run one command; print one sentence for a missing or invalid setting."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sdweb.settings")
    try:
        if sys.argv[1:2] == ["portal"]:
            local_environment.generate(os.environ)
            run_portal.main(sys.argv[2:])
            return
        # A command may take longer than a page, and wait longer for the pages.
        os.environ.setdefault("DATABASE_STATEMENT_TIMEOUT", "0")
        if not (os.environ.get("DATABASE_URL") and os.environ.get("SECRET_KEY")):
            local_environment.load(os.environ)
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
