"""Beat in a thread of a worker, which spares a process: docs/decisions/processes.md."""

import logging
import os
import signal
import threading

from celery import bootsteps
from celery.beat import PersistentScheduler
from celery.worker import WorkController

log = logging.getLogger(__name__)


class BeatThread(bootsteps.StartStopStep):
    """Sends the scheduled tasks; of all workers only one may have it."""

    def __init__(self, worker: WorkController, beat_schedule: str | None = None, **_options: object) -> None:
        """Only with `--beat-schedule`, the file that says what was sent when."""
        super().__init__(worker)
        self.app = worker.app
        self.enabled, self.file, self.stopping = bool(beat_schedule), beat_schedule, threading.Event()

    def start(self, _worker: WorkController) -> None:
        """Begin to send."""
        self.thread = threading.Thread(target=self._run, name="beat", daemon=True)
        self.thread.start()

    def stop(self, _worker: WorkController) -> None:
        """Send nothing more, and write the file."""
        self.stopping.set()
        self.thread.join(5)

    def _run(self) -> None:
        try:
            scheduler = PersistentScheduler(app=self.app, schedule_filename=self.file)
            while not self.stopping.wait(max(scheduler.tick(), 0.05)):
                if scheduler.should_sync():
                    scheduler._do_sync()  # type: ignore[attr-defined]  # as the loop of Celery does
            scheduler.close()
        except BaseException:
            log.exception("Beat ended, and so does its worker, to be started again")
            os.kill(os.getpid(), signal.SIGTERM)
