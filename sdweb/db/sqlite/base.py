"""One thread of a process writes at a time; the others wait for their turn instead of polling for it.

SQLite's own waiters sleep and look again, in no order. With two hundred of them that alone fills
the processors, and some look in vain until their time is over: "database is locked". Processes
still wait for each other in SQLite's way, but they are few.
"""

import threading
from typing import Any

from django.db.backends.sqlite3 import base

_turn = threading.Lock()


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with a turn that is taken when a transaction begins and given on when it ends."""

    _has_turn = False

    def _start_transaction_under_autocommit(self) -> None:
        # Whoever waited as long as SQLite would have waited asks SQLite without a turn.
        self._has_turn = _turn.acquire(timeout=self.settings_dict["OPTIONS"].get("timeout", 5))
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # private, so unknown to the stubs
        except BaseException:
            self._give_turn()
            raise

    def _commit(self) -> Any:
        try:
            return super()._commit()  # type: ignore[misc]  # private, so unknown to the stubs
        finally:
            self._give_turn()

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]  # private, so unknown to the stubs
        finally:
            self._give_turn()

    def _close(self) -> Any:
        try:
            return super()._close()  # type: ignore[misc]  # private, so unknown to the stubs
        finally:
            self._give_turn()

    def _give_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            _turn.release()
