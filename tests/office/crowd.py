"""Many people at the same moment, a thread and a connection each."""

import threading
from concurrent.futures import ThreadPoolExecutor

from django.db import connections


def together(*calls, expected=()):
    """Run the calls at once; what each returned, or raised if it is one of the expected errors."""
    start = threading.Barrier(len(calls))

    def one(call):
        start.wait()
        try:
            return call()
        except expected as problem:
            return problem
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(one, calls))
