"""How long a page takes, asked for one time after the other as a browser does."""

from __future__ import annotations

import statistics
import time

import requests

TIMES = 40
COLD = 3  # the first ones find a cold process


def timed(visitor: requests.Session, address: str, times: int = TIMES) -> str:
    """Median and 95th percentile in milliseconds; every answer must be a 200."""
    taken = []
    for number in range(times + COLD):
        began = time.monotonic()
        answer = visitor.get(address, timeout=60)
        assert answer.status_code == 200, (address, answer.status_code)
        if number >= COLD:
            taken.append(1000 * (time.monotonic() - began))
    cuts = statistics.quantiles(taken, n=20, method="inclusive")
    return f"{cuts[9]:.0f} / {cuts[18]:.0f} ms"
