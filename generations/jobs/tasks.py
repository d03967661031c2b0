"""Doorways: a task brings no work and decides nothing."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

from celery import shared_task
from kombu.exceptions import OperationalError

from generations.jobs import execution, sweeper
from generations.upstreams import accounts

log = logging.getLogger(__name__)

_ringer = ThreadPoolExecutor(1, "doorbell")


@shared_task
def ring() -> None:
    """Run the fairest waiting generation that an upstream has a slot for, if there is one."""
    claim, more = execution.claim_next()
    ring_soon(more)
    if claim:
        execution.run(claim)


@shared_task
def sweep() -> None:
    """Put right what died, expired or was lost, and ring for what waits."""
    ring_soon(sweeper.sweep())


@shared_task
def ask_balances() -> None:
    """Ask every provider account what is left there."""
    accounts.ask_balances()


def ring_soon(times: int) -> None:
    """Ring without making anybody wait: a bell that Redis does not take is rung again by the sweeper."""
    if times > 0:
        _ringer.submit(_ring, times)


def _ring(times: int) -> None:
    try:
        for _ in range(times):
            ring.delay()
    except OperationalError as problem:
        log.warning("Redis did not take a ring; the sweeper will ring again: %s", problem)
