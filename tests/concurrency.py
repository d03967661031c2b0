"""Concurrent calls, each in a thread with a database connection of its own."""

import threading
from concurrent.futures import ThreadPoolExecutor

from django.db import connections


def run_concurrently(*calls, expected=()):
    """Start the calls at the same moment; return each one's result, or its exception if that is expected."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait()
        try:
            return call()
        except expected as problem:
            return problem
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))
