"""Opening, testing, pausing and resuming provider accounts."""

from __future__ import annotations

import logging
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from redis import RedisError

from generations.providers import open_provider
from generations.providers.base import Provider, ProviderError, Unavailable
from generations.upstreams import pacing, vault
from generations.upstreams.models import Upstream

if TYPE_CHECKING:
    from collections.abc import Iterable

log = logging.getLogger(__name__)

FROM_ENVIRONMENT = "Environment"
BLOCK = 60.0  # seconds, where a 429 does not say (providers.md 1.6)
TRY_AGAIN = timedelta(minutes=10)  # a pause whose end no balance tells


@lru_cache(maxsize=64)
def _provider(kind: str, base_url: str, encrypted_key: str) -> Provider:
    return open_provider(kind, base_url, vault.decrypt(encrypted_key))


def provider(upstream: Upstream) -> Provider:
    """The account, ready to be called. Raises ValueError for an address that cannot be one."""
    return _provider(upstream.kind, upstream.base_url, upstream.encrypted_key)


def sync_environment() -> Upstream | None:
    """Make the upstream of STABILITY_BASE_URL and STABILITY_API_KEY what the environment says."""
    mine = Upstream.objects.filter(from_environment=True)
    if not (settings.STABILITY_BASE_URL and settings.STABILITY_API_KEY):
        mine.update(enabled=False)
        return None
    upstream = mine.first() or Upstream(from_environment=True, name=FROM_ENVIRONMENT)
    if not upstream.pk or upstream.key != settings.STABILITY_API_KEY:
        upstream.set_key(settings.STABILITY_API_KEY)
    upstream.base_url, upstream.enabled = settings.STABILITY_BASE_URL, True
    upstream.paused_at = None  # a restart with another key or address deserves another try
    upstream.save()
    return upstream


def test(upstream: Upstream) -> tuple[bool, str]:
    """Ask the account something that costs nothing; whether it answered well, and a sentence."""
    try:
        balance = provider(upstream).balance(timeout=10)
    except Unavailable as problem:
        if problem.status == 404:
            return True, _("It answers, and does not tell its balance.")
        return False, problem.reason
    except (ProviderError, ValueError) as problem:
        return False, str(problem)
    if balance is None:
        return True, _("It answers, and does not tell its balance.")
    _note_balance(upstream, balance)
    return True, _("It answers. Its balance is %(balance)s credits.") % {"balance": f"{balance:,.2f}"}


def pause(upstream: Upstream, problem: ProviderError) -> None:
    """Call it no more until `resume`; operators are told, once per pause."""
    paused = Upstream.objects.filter(pk=upstream.pk, paused_at__isnull=True).update(
        paused_at=timezone.now(), paused_status=problem.status, paused_reason=problem.reason[:400]
    )
    if paused:
        log.error("Upstream %s is paused: %s", upstream.name, problem.reason)


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
        pacing.block(upstream, rest)
    except RedisError:
        log.warning("Redis is away; the block of upstream %s stands in the database alone", upstream.name)


def ask_balances(upstreams: Iterable[Upstream] | None = None) -> int:
    """Ask every enabled account what is left, and end the pauses that this answers; how many told."""
    rows = Upstream.objects.filter(enabled=True) if upstreams is None else upstreams
    return sum(_ask(upstream) for upstream in rows)


def _ask(upstream: Upstream) -> bool:
    try:
        balance = provider(upstream).balance(timeout=10)
    except (ProviderError, ValueError) as problem:
        log.info("Upstream %s does not tell its balance: %s", upstream.name, problem)
        balance = None
    if balance is not None:
        _note_balance(upstream, balance)
    if _pause_is_over(upstream, balance):
        resume(upstream)
    return balance is not None


def _pause_is_over(upstream: Upstream, balance: float | None) -> bool:
    if upstream.paused_at is None or upstream.paused_status == 401:
        return False
    if upstream.paused_status == 402 and balance is not None:
        return balance > 0
    return timezone.now() - upstream.paused_at > TRY_AGAIN


def _note_balance(upstream: Upstream, balance: float) -> None:
    if abs(balance) >= 1e9:  # more than the column holds, and than anybody owns
        return
    upstream.balance, upstream.balance_at = Decimal(str(balance)).quantize(Decimal("0.0001")), timezone.now()
    if upstream.pk:
        Upstream.objects.filter(pk=upstream.pk).update(
            balance=upstream.balance, balance_at=upstream.balance_at
        )
