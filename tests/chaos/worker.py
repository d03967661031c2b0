"""A Celery worker with shorter timeouts, for which a kill is a power cut.

It writes the path of everything that it syncs to disk into a journal; when it is killed, files of its spool
that are not in the journal are removed. `--mutant` takes one of the engine's safeguards away.
"""

from __future__ import annotations

import argparse
import os
from datetime import timedelta
from pathlib import Path

from generations.jobs.engine import leases as engine_leases
from sdweb.celery import app
from tests.chaos import mutants


def main() -> None:
    """`--journal FILE [--longest-call SECONDS] [--lease SECONDS] [--mutant NAME] CELERY...`"""
    parser = argparse.ArgumentParser()
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--longest-call", type=float, default=engine_leases.CALL_TIMEOUT)
    parser.add_argument("--lease", type=float, default=engine_leases.LEASE.total_seconds())
    parser.add_argument("--mutant", choices=mutants.MUTANTS)
    known, celery = parser.parse_known_args()
    engine_leases.CALL_TIMEOUT = known.longest_call
    engine_leases.LEASE = timedelta(seconds=known.lease)
    _note_syncs(known.journal)
    if known.mutant:
        mutants.MUTANTS[known.mutant]()
    app.start(celery)


def _note_syncs(journal: Path) -> None:
    """Append the path of every file to the journal after it was synced."""
    sync = os.fsync
    notes = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def noted(descriptor: int) -> None:
        sync(descriptor)
        os.write(notes, os.readlink(f"/proc/self/fd/{descriptor}").encode() + b"\n")

    os.fsync = noted


if __name__ == "__main__":
    main()
