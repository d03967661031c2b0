"""Tables for spreadsheets: UTF-8 with a mark that they know it by, and no cell that one would run."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

BYTE_ORDER_MARK = "\ufeff"  # without it spreadsheets read UTF-8 as something else
# Where a spreadsheet would take what follows for a formula: OWASP, "CSV Injection". For some a cell begins
# anew after a tab or a line break, and after a semicolon where that is what stands between cells.
STARTS = re.compile(r"""^(?=[ \u00a0"']*[=+\-@\t\r\n])|[;\t\r\n](?=[ \u00a0"']*[=+\-@])""")


def defused(value: str) -> str:
    """The text with an apostrophe before all that a spreadsheet would run; numbers are never passed here."""
    return STARTS.sub(r"\g<0>'", value)


def text(rows: Iterable[Sequence[object]]) -> str:
    """The rows as lines of a CSV file. Words in them must be defused before; numbers stay numbers."""
    lines = io.StringIO()
    csv.writer(lines).writerows(rows)
    return lines.getvalue()
