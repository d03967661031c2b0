"""The portal's web process and workers in threads."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import uvicorn
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from generations.jobs.engine import poll
from generations.jobs.models import Attempt
from tests.conftest import work

_polling = threading.Lock()


@contextmanager
def web() -> Iterator[str]:
    """Run a web process and return its base URL. It stops as in production, with a shorter grace period."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        "sdweb.asgi:application", log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def workers(count: int = 2) -> Iterator[None]:
    """Run threads that do the work of Celery workers; tasks are polled at once."""
    over = threading.Event()

    def run() -> None:
        try:
            while not over.is_set():
                if not work(1) and not poll_tasks():
                    over.wait(0.1)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(30)


def poll_tasks() -> int:
    """Poll all tasks as if it were time; how many. By one thread: it takes no account of leases."""
    with _polling:
        Attempt.objects.filter(poll_at__gt=Now()).update(poll_at=timezone.now() - timedelta(seconds=1))
        due = poll.claim_due(50)
        for attempt in due:
            poll.run(attempt)
    return len(due)
