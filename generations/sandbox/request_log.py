"""What was called: a bounded log that tests and the curious read at `/control/log`."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

LONGEST_TEXT = 500


@dataclass
class Entry:
    """One call as it was received and answered; never a key. `status` is None while it runs,
    0 when the connection was closed without an answer."""

    method: str
    path: str
    request_id: str
    accept: str
    content_type: str
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    model: str = ""
    outcome: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    status: int | None = None
    error: str = ""
    sha256: str = ""
    seed: int | None = None
    cost: float = 0.0
    seconds: float = 0.0


class Journal:
    """The latest calls, oldest first."""

    def __init__(self, longest: int = 5_000) -> None:
        self.entries: deque[Entry] = deque(maxlen=longest)
        self.count = 0

    def write(self, entry: Entry) -> Entry:
        """Add a call; the entry is completed while the call runs."""
        self.entries.append(entry)
        self.count += 1
        return entry

    def read(self, last: int | None = None) -> list[dict[str, Any]]:
        """The latest calls as plain values."""
        entries = list(self.entries)
        return [asdict(entry) for entry in (entries if last is None else entries[-last:])]

    def clear(self) -> None:
        """Forget all calls."""
        self.entries.clear()
        self.count = 0


def shortened(value: Any) -> Any:
    """A field's value as logged: long text is cut and its length told."""
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}... ({len(value)} characters)"
    return value
