"""One writer at a time in a process, and connections that its threads take from each other.

Threads that wait for SQLite's lock sleep and try again, in no order. With two hundred of them that alone
takes all CPU time, and some fail with "database is locked". So the write transactions of a process wait for
a lock of ours. Processes still wait for each other in SQLite's way, but they are few.

A connection that is opened reads the definitions of all tables, which takes 4 ms, and has 0.7 MB of its own.
What a thread closes is kept open for whichever comes next, as in a pool: docs/decisions/sqlite-and-valkey.md.
"""

import os
import sqlite3
import threading
from collections import defaultdict
from typing import Any

from django.db.backends.sqlite3 import base

_write_lock = threading.Lock()
# By process, since a fork must not use those of its parent, and by file; the last used one is last.
_idle: defaultdict[tuple[int, str], list[sqlite3.Connection]] = defaultdict(list)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper, with a process-wide lock held from the begin to the end of a transaction.

    The option `pool` says how many connections that no thread has are kept open, in all of the process.
    """

    _has_write_lock = False
    _file = ""

    def get_connection_params(self) -> dict[str, Any]:
        """Those of sqlite3, which knows no pool."""
        params = super().get_connection_params()
        params.pop("pool", None)
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        """One that another thread has given back, else a new one."""
        self._file = str(conn_params["database"])
        try:
            return _idle[os.getpid(), self._file].pop()
        except IndexError:
            return super().get_new_connection(conn_params)  # type: ignore[no-any-return]

    def _close(self) -> None:
        try:
            if not self._gives_back():
                super()._close()  # type: ignore[misc]  # private, so unknown to the stubs
        finally:
            self._release_write_lock()

    def _gives_back(self) -> bool:
        """Keep the connection for another; False if it failed, is in a transaction, or is one too many."""
        opened, idle = self.connection, _idle[os.getpid(), self._file]
        if opened is None or opened.in_transaction or self.in_atomic_block or self.errors_occurred:
            return False
        if len(idle) >= self.settings_dict["OPTIONS"].get("pool", 0):
            return False
        idle.append(opened)
        return True

    def _start_transaction_under_autocommit(self) -> None:
        # After SQLite's own timeout, go on without the lock and let SQLite decide.
        self._has_write_lock = _write_lock.acquire(timeout=self.settings_dict["OPTIONS"].get("timeout", 5))
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # private, so unknown to the stubs
        except BaseException:
            self._release_write_lock()
            raise

    def _commit(self) -> Any:
        try:
            return super()._commit()  # type: ignore[misc]  # private, so unknown to the stubs
        finally:
            self._release_write_lock()

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]  # private, so unknown to the stubs
        finally:
            self._release_write_lock()

    def _release_write_lock(self) -> None:
        if self._has_write_lock:
            self._has_write_lock = False
            _write_lock.release()
