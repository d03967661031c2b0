"""Being polite while something slow happens."""

from django.db import connections


def give_back_connections() -> None:
    """Let others have this thread's database connections: they are few, and slow readers are many.

    A transaction keeps its own.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
