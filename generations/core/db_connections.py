"""Freeing database connections while something slow happens."""

from django.db import connections


def release_connections() -> None:
    """Return this thread's database connections to the pool, except one inside a transaction.

    Connections are few and slow readers are many.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
