"""Fields that every log record of one piece of work carries: request, generation, attempt, upstream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_fields: ContextVar[Mapping[str, object]] = ContextVar("log_fields", default={})  # noqa: B039  never changed


def fields() -> Mapping[str, object]:
    """Return the fields bound in this thread or task."""
    return _fields.get()


@contextmanager
def bind(**fields: object) -> Iterator[None]:
    """Add these fields to every record that is logged in the block."""
    token = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)
