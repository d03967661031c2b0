"""Serialise the write transactions of a process with a lock, so that its threads do not poll SQLite's.

Threads that wait for SQLite's lock sleep and try again, in no order. With two hundred of them that alone
takes all CPU time, and some fail with "database is locked". Processes still wait for each other in SQLite's
way, but they are few.
"""

import threading
from typing import Any

from django.db.backends.sqlite3 import base

_write_lock = threading.Lock()


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper, with a process-wide lock held from the begin to the end of a transaction."""

    _has_write_lock = False

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

    def _close(self) -> Any:
        try:
            return super()._close()  # type: ignore[misc]  # private, so unknown to the stubs
        finally:
            self._release_write_lock()

    def _release_write_lock(self) -> None:
        if self._has_write_lock:
            self._has_write_lock = False
            _write_lock.release()
