"""How each benchmark shows what it measured, and writes it down."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path("test-results")


def report(result: Mapping[str, Any], marks: Mapping[str, str], file: Path) -> None:
    """Print a line for each figure with its mark beside it, and write all of them to the file as JSON.

    A figure of a comparison is a row of several numbers.
    """
    width = max(map(len, result))
    for name, value in result.items():
        numbers = value.values() if isinstance(value, dict) else ()
        shown = "".join(f"{'-' if each is None else each:>11}" for each in numbers) or f"{value!s:<20}"
        sys.stdout.write(f"{name:<{width}}  {shown}  {marks.get(name, '')}".rstrip() + "\n")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(result, indent=1))
