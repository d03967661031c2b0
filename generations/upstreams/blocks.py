"""Block an account for some time after a 429: its calls, its polls, or both.

Results that are given by address are fetched from other hosts, and blocked by nothing.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from redis import RedisError

from generations.providers.base import Busy, Unavailable
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.registry import GATEWAY
from generations.upstreams import accounts
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Upstream

log = logging.getLogger(__name__)

DEFAULT_SECONDS = 60.0  # after a 429 without Retry-After: docs/providers/stability.md, "Rate limit"
# Whatever Retry-After says: tasks are bought, and the address of a result lives for ten minutes
# (docs/providers/flux.md, "Tasks").
LONGEST_FOR_POLLS = 300.0


def after_order(upstream: Upstream, model: str, error: Busy) -> None:
    """Block what a 429 to an order is about: one system at a gateway, or the account."""
    if error.of_system and upstream.kind == GATEWAY:
        _block_system(upstream, model, error.retry_after)
    else:
        after_call(upstream, error.retry_after)


def after_call(upstream: Upstream, retry_after: float | None) -> None:
    """Block calls of the account, and of those that share its limit, after a 429 to a call.

    Polls go on, unless they count as calls: then they wait too, for LONGEST_FOR_POLLS at most. `retry_after`
    is in seconds, None for DEFAULT_SECONDS.
    """
    counted = _polls_count_as_calls(upstream)
    _block(upstream, retry_after, calls=True, polls=counted, counted=counted)


def after_poll(upstream: Upstream, retry_after: float | None) -> None:
    """Block polls after a 429 to a poll, LONGEST_FOR_POLLS at most; calls too where polls count as calls."""
    counted = _polls_count_as_calls(upstream)
    _block(upstream, retry_after, calls=counted, polls=True, counted=counted)


@transaction.atomic
def _block_system(upstream: Upstream, model: str, retry_after: float | None) -> None:
    """Block calls for the models of one system, that of `model`, at a gateway; a longer block stays."""
    name = catalogue_registry.system_of(model)
    seconds = DEFAULT_SECONDS if retry_after is None else max(retry_after, 1.0)
    row = Upstream.objects.select_for_update(no_key=True).get(pk=upstream.pk)
    now = timezone.now()
    left = {each: row.systems_blocked[each] for each in row.blocked_systems}
    until = (now + timedelta(seconds=seconds)).isoformat()
    if name not in left:
        log.warning("Provider account %s takes no calls for %s for %.0f s", row.name, name, seconds)
    left[name] = max(until, left.get(name, ""))
    Upstream.objects.filter(pk=row.pk).update(systems_blocked=left)
    upstream.systems_blocked = left


def _polls_count_as_calls(upstream: Upstream) -> bool:
    try:
        return accounts.provider(upstream).polls_count_as_calls
    except Unavailable:  # its settings were changed since the call
        return True


def _block(upstream: Upstream, retry_after: float | None, *, calls: bool, polls: bool, counted: bool) -> None:
    seconds = DEFAULT_SECONDS if retry_after is None else max(retry_after, 1.0)
    for_polls = min(seconds, LONGEST_FOR_POLLS)
    sharing = Upstream.objects.filter(pk=upstream.pk)
    if upstream.pace_account:
        sharing = Upstream.objects.filter(pace_account=upstream.pace_account)
    if calls and _extend(sharing, "blocked_until", seconds):
        log.warning("Provider account %s answered 429: no calls for %.0f s", upstream.name, seconds)
    if polls and _extend(sharing, "polls_blocked_until", for_polls):
        log.warning("Provider account %s answered 429: no polls for %.0f s", upstream.name, for_polls)
    try:
        if calls:
            upstreams_rate_limit.block(upstream, seconds)
        if polls:
            upstreams_rate_limit.block_polls(upstream, for_polls, counts_as_call=counted)
    except RedisError:
        log.warning(
            "Redis is unreachable; the block of provider account %s is only in the database", upstream.name
        )


def _extend(upstreams: QuerySet[Upstream], column: str, seconds: float) -> bool:
    """Block until then; a longer block stays. Return whether one was not blocked before."""
    now = timezone.now()
    until = now + timedelta(seconds=seconds)
    was_open = upstreams.exclude(**{f"{column}__gt": now}).exists()
    upstreams.exclude(**{f"{column}__gt": until}).update(**{column: until})
    return was_open
