"""The S3 server of `make run`, for commands that need it while the portal does not run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from sdweb.process import local_environment
from sdweb.process.ports import answers
from sdweb.process.program import ChildProcess
from sdweb.process.services import Services


@contextmanager
def embedded_storage() -> Iterator[None]:
    """Run it until the end of the block, if it is configured and does not run; StartError if it cannot."""
    port = urlsplit(os.environ.get("S3_ENDPOINT_URL", "")).port or 0
    if not local_environment.is_embedded("S3_ENDPOINT_URL", os.environ) or answers(port):
        yield
        return
    [program] = Services(os.environ).object_storage()
    child = ChildProcess(program)
    child.start()
    try:
        child.wait_until_ready()
        yield
    finally:
        child.stop()
