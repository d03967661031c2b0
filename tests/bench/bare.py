"""The same work without a portal: threads, requests and boto3 in a hand-written loop. What it costs, as JSON.

`URL KEY FORMAT JOBS THREADS INTERVAL`: no accounts, no queue, no spool, nobody who watches, and what is
lost is lost.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
import requests
from botocore.config import Config

from tests.bench.processes import memory


class Pace:
    """One call each `interval` seconds."""

    def __init__(self, interval: float) -> None:
        self.interval, self.next, self.lock = interval, time.monotonic(), threading.Lock()

    def wait(self) -> None:
        """Sleep until it is this caller's turn."""
        with self.lock:
            self.next = max(self.next, time.monotonic())
            delay, self.next = self.next - time.monotonic(), self.next + self.interval
        time.sleep(max(0.0, delay))


def main(arguments: list[str]) -> None:
    """Make the images and say what that took."""
    url, key, output_format, jobs, threads, interval = arguments
    pace, sessions = Pace(float(interval)), threading.local()
    config = Config(
        max_pool_connections=50,
        request_checksum_calculation="when_required",
        s3={"addressing_style": "path", "payload_signing_enabled": False},
    )
    storage = boto3.client("s3", endpoint_url=os.environ["S3_ENDPOINT_URL"], config=config)

    def make(number: int) -> None:
        pace.wait()
        session = sessions.__dict__.setdefault("session", requests.Session())
        fields = {"prompt": f"bare {number}", "output_format": output_format}
        answer = session.post(
            f"{url}/v2beta/stable-image/generate/core",
            headers={"authorization": f"Bearer {key}", "accept": "image/*"},
            files={name: (None, value) for name, value in fields.items()},
            timeout=120,
        )
        answer.raise_for_status()
        name = hashlib.sha256(answer.content).hexdigest()
        storage.put_object(Bucket=os.environ["S3_BUCKET"], Key=f"bare/{name}", Body=answer.content)

    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime

    before = used()
    with ThreadPoolExecutor(int(threads)) as pool:
        list(pool.map(make, range(int(jobs))))
    cpu = (used() - before) / int(jobs)
    sys.stdout.write(json.dumps({"cpu": cpu, "memory": memory(os.getpid())}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
