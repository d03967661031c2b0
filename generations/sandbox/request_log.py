"""A bounded log of calls, served at `/control/log`."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

MAX_TEXT = 500


@dataclass
class LogEntry:
    """One call, without the key.

    `status` is None while it runs, 0 if the connection was closed without a response.
    """

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
    task: str = ""  # that was ordered, or asked for
    early: bool = False  # asked for a task sooner than the poll interval after the last time


class RequestLog:
    """The latest calls, oldest first."""

    def __init__(self, max_entries: int = 5_000) -> None:
        self.entries: deque[LogEntry] = deque(maxlen=max_entries)
        self.count = 0

    def write(self, entry: LogEntry) -> LogEntry:
        """Add a call; the entry is completed while the call runs."""
        self.entries.append(entry)
        self.count += 1
        return entry

    def read(self, last: int | None = None) -> list[dict[str, Any]]:
        """Return the latest calls as plain values."""
        entries = list(self.entries)
        return [asdict(entry) for entry in (entries if last is None else entries[-last:])]

    def clear(self) -> None:
        """Remove all calls."""
        self.entries.clear()
        self.count = 0


def shortened(value: Any) -> Any:
    """Return a value for the log: long text is cut, and its length is added."""
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return f"{value[:MAX_TEXT]}... ({len(value)} characters)"
    return value
