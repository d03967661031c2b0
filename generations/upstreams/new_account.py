"""What a new provider account begins with: what is usual for its kind, its systems, pace and first call."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import asdict, replace

from django.db import transaction
from redis import RedisError

from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.registry import GATEWAY, Switch, checked_switch, usual_switch
from generations.providers.transport.download import ANYWHERE
from generations.upstreams import provider_groups, units
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Upstream

log = logging.getLogger(__name__)

LOW_BALANCE = 50_000  # hundredths of a US cent: 500 credits, 5 dollars


@transaction.atomic
def share_pace(upstream: Upstream) -> None:
    """Let accounts with the same address and key, which the provider counts as one, share one rate limit.

    The limiter of the other one goes on, so that what it has sent counts.
    """
    twins = provider_groups.twins(upstream, Upstream.objects.exclude(pk=upstream.pk).order_by("pk"))
    if upstream.pace_account or not twins:
        return
    pace_account = twins[0].pace_key
    Upstream.objects.filter(pk__in=[upstream.pk, twins[0].pk]).update(pace_account=pace_account)
    upstream.pace_account = pace_account


def begin_with_usual(upstream: Upstream) -> None:
    """Fill a new account with what is usual for its kind; a gateway has all systems, and results anywhere.

    Gateways keep results at hosts of their own choice; no key goes there, and none of them is inside.
    """
    upstream.unit, upstream.unit_value = next(iter(units.known(upstream.kind).items()))
    upstream.low_balance = LOW_BALANCE // upstream.unit_value
    if upstream.kind == GATEWAY:
        upstream.systems = {name: as_json(usual_switch(name)) for name in catalogue_registry.DECLARED}
        upstream.result_hosts = [ANYWHERE]
        return
    declared = catalogue_registry.system(upstream.kind)
    upstream.limit_calls, upstream.limit_window = declared.calls, declared.seconds
    upstream.max_in_flight = declared.in_flight


def systems_of(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return switches as an account keeps them, of names such as `bfl` or `bfl=/x`; ValueError for others."""
    found = {}
    for text in names:
        name, has_prefix, prefix = text.partition("=")
        switch = usual_switch(name) if name in catalogue_registry.DECLARED else Switch()
        found[name] = as_json(checked_switch(name, replace(switch, prefix=prefix) if has_prefix else switch))
    return found


def as_json(switch: Switch) -> dict[str, str]:
    """Return a switch as an account keeps it."""
    return {name: value for name, value in asdict(switch).items() if value}


def begin(upstream: Upstream) -> None:
    """Allow the first call of a new account at once: no call can have been sent before."""
    try:
        upstreams_rate_limit.prepare(upstream, idle=True)
    except RedisError as problem:
        log.warning(
            "Redis is unreachable; the first call of provider account %s waits for one window: %s",
            upstream.name,
            problem,
        )
