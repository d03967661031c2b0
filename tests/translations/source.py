"""What of a Python module nobody could translate."""

from __future__ import annotations

import ast

from tests.translations import Fault, declarations, literals
from tests.translations.gettext_calls import GettextCalls


def faults(source: str) -> list[Fault]:
    """Gettext that is asked wrongly, names that Django makes up, and texts that no gettext is asked for."""
    calls = GettextCalls(ast.parse(source))
    return sorted({*calls.faults(), *declarations.faults(calls), *literals.faults(calls)})
