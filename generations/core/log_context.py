"""What the log lines of one piece of work have in common: its request, generation, attempt, upstream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_about: ContextVar[Mapping[str, object]] = ContextVar("about", default={})  # noqa: B039  never changed


def about() -> Mapping[str, object]:
    """What the work at hand is about."""
    return _about.get()


@contextmanager
def following(**more: object) -> Iterator[None]:
    """Name these on every line that is logged in the block, beside what was named around it."""
    token = _about.set({**_about.get(), **more})
    try:
        yield
    finally:
        _about.reset(token)
