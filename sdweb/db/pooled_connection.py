"""PostgreSQL connections of a pool, of which the pool asks before each use whether they still live."""

from __future__ import annotations

import select
from typing import Any

import psycopg


class PooledConnection(psycopg.Connection[Any]):
    """Sends the pool's question, an empty query, only if the server has sent something unasked.

    A server that ends a connection says so, or closes it, and an idle connection gets nothing else. The
    question is a wait for the server, two for each picture of a worker, and two for most requests.
    """

    def execute(self, query: Any, *arguments: Any, **options: Any) -> psycopg.Cursor[Any]:
        """Run the query, but for an empty one while nothing came from the server."""
        if query == "" and not self._has_received():
            return self.cursor()  # OperationalError if the connection is closed
        return super().execute(query, *arguments, **options)

    def _has_received(self) -> bool:
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        return bool(poll.poll(0))
