"""Opening, testing, pausing and resuming provider accounts."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from redis import RedisError

from generations.providers import open_provider
from generations.providers.base import Provider, ProviderError, Unavailable
from generations.upstreams import encryption
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Balance, Upstream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

log = logging.getLogger(__name__)

FROM_ENVIRONMENT = "Environment"
BLOCK = 60.0  # seconds, where a 429 does not say: docs/providers/stability.md, "Rate limit"
REMEMBERED_EVERY = timedelta(minutes=15)
BY_HAND = 0  # the status of a pause that an operator made, which ends by an operator's hand alone
TRY_AGAIN = timedelta(minutes=10)  # a pause whose end no balance tells


@lru_cache(maxsize=64)
def _provider(kind: str, base_url: str, encrypted_key: str) -> Provider:
    return open_provider(kind, base_url, encryption.decrypt(encrypted_key))


def provider(upstream: Upstream) -> Provider:
    """The account, ready to be called. Raises Unavailable if its address or its key cannot be used."""
    try:
        return _provider(upstream.kind, upstream.base_url, upstream.encrypted_key)
    except ValueError as problem:
        reason = str(problem)
    raise Unavailable(reason)


def sync_environment() -> Upstream | None:
    """Make the upstream of STABILITY_BASE_URL and STABILITY_API_KEY what the environment says."""
    mine = Upstream.objects.filter(from_environment=True)
    if not (settings.STABILITY_BASE_URL and settings.STABILITY_API_KEY):
        mine.update(enabled=False)
        return None
    upstream = mine.first() or Upstream(from_environment=True, name=FROM_ENVIRONMENT)
    if not _has_key(upstream, settings.STABILITY_API_KEY):
        upstream.set_key(settings.STABILITY_API_KEY)
    upstream.base_url, upstream.enabled = settings.STABILITY_BASE_URL, True
    if upstream.paused_status != BY_HAND:  # a restart with another key or address deserves another try
        upstream.paused_at = None
    upstream.save()
    return upstream


def _has_key(upstream: Upstream, key: str) -> bool:
    try:
        return upstream.key == key
    except encryption.Unreadable:
        return False


def test(upstream: Upstream) -> tuple[bool, str]:
    """Ask the account something that costs nothing; whether it answered well, and a sentence."""
    try:
        balance = provider(upstream).balance(timeout=10)
    except Unavailable as problem:
        if problem.status == 404:
            return True, _("It answers, and does not tell its balance.")
        return False, problem.reason
    except ProviderError as problem:
        return False, problem.reason
    if balance is None:
        return True, _("It answers, and does not tell its balance.")
    _note_balance(upstream, balance)
    return True, _("It answers. Its balance is %(balance)s credits.") % {"balance": f"{balance:,.2f}"}


def begin(upstream: Upstream) -> None:
    """Let a new account's first call go at once: nothing can have been sent there by us."""
    try:
        upstreams_rate_limit.prepare(upstream, idle=True)
    except RedisError as problem:
        log.warning("Redis is away; the first call of upstream %s waits a window: %s", upstream.name, problem)


def pause(upstream: Upstream, problem: ProviderError) -> None:
    """Call it no more until `resume`; operators are told, once per pause."""
    paused = Upstream.objects.filter(pk=upstream.pk, paused_at__isnull=True).update(
        paused_at=timezone.now(), paused_status=problem.status, paused_reason=problem.reason[:400]
    )
    if paused:
        log.error("Upstream %s is paused: %s", upstream.name, problem.reason)


def pause_by_hand(upstreams: QuerySet[Upstream], *, by: str) -> int:
    """Call none of these until an operator resumes them, whatever else pauses or frees them; how many."""
    reason = _("Paused by %(name)s.") % {"name": by}
    count = upstreams.filter(enabled=True).update(
        paused_at=Coalesce("paused_at", timezone.now()), paused_status=BY_HAND, paused_reason=reason[:400]
    )
    log.warning("%s upstreams: %s", count, reason)
    return count


def drain(upstream: Upstream) -> None:
    """Let it finish what runs, and start nothing there."""
    Upstream.objects.filter(pk=upstream.pk).update(draining=True)
    log.warning("Upstream %s is drained: it finishes what runs", upstream.name)


def reopen(upstreams: QuerySet[Upstream]) -> None:
    """Call them again, however they came to rest; a block after 429 stands."""
    for upstream in upstreams.filter(enabled=True):
        resume(upstream)
    upstreams.filter(draining=True).update(draining=False)


def resume(upstream: Upstream) -> None:
    """Call it again."""
    if Upstream.objects.filter(pk=upstream.pk, paused_at__isnull=False).update(
        paused_at=None, paused_status=None, paused_reason=""
    ):
        log.warning("Upstream %s is called again", upstream.name)


def block(upstream: Upstream, seconds: float | None) -> None:
    """Let the account rest after a 429: `Retry-After`, or a minute. Logged once per block."""
    rest = BLOCK if seconds is None else max(seconds, 1.0)
    now = timezone.now()
    until = now + timedelta(seconds=rest)
    shares = Upstream.objects.filter(pk=upstream.pk)
    if upstream.pace_account:
        shares = Upstream.objects.filter(pace_account=upstream.pace_account)
    was_open = shares.exclude(blocked_until__gt=now).exists()
    shares.exclude(blocked_until__gt=until).update(blocked_until=until)
    if was_open:
        log.warning("Upstream %s answered 429: no calls for %.0f s", upstream.name, rest)
    try:
        upstreams_rate_limit.block(upstream, rest)
    except RedisError:
        log.warning("Redis is away; the block of upstream %s stands in the database alone", upstream.name)


def ask_balances(upstreams: Iterable[Upstream] | None = None) -> int:
    """Ask every enabled account what is left, and end the pauses that this answers; how many told."""
    rows = Upstream.objects.filter(enabled=True) if upstreams is None else upstreams
    return sum(_ask(upstream) for upstream in rows)


def _ask(upstream: Upstream) -> bool:
    try:
        balance = provider(upstream).balance(timeout=10)
    except ProviderError as problem:
        log.info("Upstream %s does not tell its balance: %s", upstream.name, problem)
        balance = None
    if balance is not None:
        _note_balance(upstream, balance)
    if _pause_is_over(upstream, balance):
        resume(upstream)
    return balance is not None


def _pause_is_over(upstream: Upstream, balance: float | None) -> bool:
    if upstream.paused_at is None or upstream.paused_status in (401, BY_HAND):
        return False
    if upstream.paused_status == 402 and balance is not None:
        return balance > 0
    return timezone.now() - upstream.paused_at > TRY_AGAIN


def _note_balance(upstream: Upstream, balance: float) -> None:
    if abs(balance) >= 1e9:  # more than the column holds, and than anybody owns
        return
    upstream.balance, upstream.balance_at = Decimal(str(balance)).quantize(Decimal("0.0001")), timezone.now()
    if upstream.pk:
        _remember_balance(upstream, upstream.balance, upstream.balance_at)


@transaction.atomic
def _remember_balance(upstream: Upstream, amount: Decimal, at: datetime) -> None:
    """Keep the newest on the row, whose lock orders those who ask, and one in a quarter of an hour beside."""
    Upstream.objects.filter(pk=upstream.pk).update(balance=amount, balance_at=at)
    if not Balance.objects.filter(upstream=upstream, asked_at__gt=at - REMEMBERED_EVERY).exists():
        Balance.objects.create(upstream=upstream, amount=amount, asked_at=at)
