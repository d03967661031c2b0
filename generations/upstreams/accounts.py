"""Open, test, pause and resume provider accounts."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from redis import RedisError

from generations.providers import open_provider
from generations.providers.base import Provider, ProviderError, Unavailable
from generations.upstreams import encryption
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Balance, Upstream

log = logging.getLogger(__name__)

FROM_ENVIRONMENT = "Environment"
DEFAULT_BLOCK = 60.0  # seconds after a 429 without Retry-After: docs/providers/stability.md, "Rate limit"
BALANCE_HISTORY_INTERVAL = timedelta(minutes=15)
PAUSED_BY_OPERATOR = 0  # status of a pause that only an operator ends
RETRY_AFTER = timedelta(minutes=10)  # end of a pause that a balance does not end
MODEL_CLOSED = timedelta(minutes=10)  # for which an account is not asked for a model that it lacks
SOON = timedelta(minutes=1)  # within which an image whose model is closed must go elsewhere or end


@lru_cache(maxsize=64)
def _provider(kind: str, base_url: str, encrypted_key: str, proxy: str, encrypted_login: str) -> Provider:
    through = Upstream(proxy=proxy, encrypted_proxy_login=encrypted_login).proxy_address
    return open_provider(kind, base_url, encryption.decrypt(encrypted_key), through)


def provider(upstream: Upstream) -> Provider:
    """Return the client of the account; Unavailable if its base URL, key or proxy is unusable."""
    try:
        return _provider(
            upstream.kind,
            upstream.base_url,
            upstream.encrypted_key,
            upstream.proxy,
            upstream.encrypted_proxy_login,
        )
    except ValueError as problem:
        reason = str(problem)
    raise Unavailable(reason)


def result_hosts(upstream: Upstream) -> tuple[str, ...]:
    """Return from which hosts the account's results are fetched: its own, its system's, or its address's.

    Unavailable as `provider` raises it.
    """
    own = tuple(upstream.result_hosts) or provider(upstream).result_hosts
    return own or (urlsplit(upstream.base_url).hostname or "",)


def sync_environment() -> Upstream | None:
    """Create, update or disable the upstream of STABILITY_BASE_URL and STABILITY_API_KEY."""
    from_environment = Upstream.objects.filter(from_environment=True)
    if not (settings.STABILITY_BASE_URL and settings.STABILITY_API_KEY):
        from_environment.update(enabled=False)
        return None
    upstream = from_environment.first() or Upstream(from_environment=True, name=FROM_ENVIRONMENT)
    if not _has_key(upstream, settings.STABILITY_API_KEY):
        upstream.set_key(settings.STABILITY_API_KEY)
    upstream.base_url, upstream.enabled = settings.STABILITY_BASE_URL, True
    upstream.encrypted_proxy_login = ""  # one that was taken out of the environment is gone
    upstream.set_proxy(settings.STABILITY_PROXY)
    upstream.closed_models = {}  # the key or the address may be new
    if upstream.paused_status != PAUSED_BY_OPERATOR:
        upstream.paused_at = None
    upstream.save()
    return upstream


def _has_key(upstream: Upstream, key: str) -> bool:
    try:
        return upstream.key == key
    except encryption.Undecryptable:
        return False


def test(upstream: Upstream) -> tuple[bool, str]:
    """Request the balance, which costs nothing; return whether that worked, and a sentence."""
    try:
        balance = provider(upstream).balance(timeout=10)
    except ProviderError as problem:
        return False, problem.reason
    if balance is None:
        return True, _("It answers, and has no balance to show.")
    _store_balance(upstream, balance)
    return True, _("It answers. Its balance is %(balance)s credits.") % {"balance": f"{balance:,.2f}"}


def begin(upstream: Upstream) -> None:
    """Allow the first call of a new account at once: no call can have been sent before."""
    try:
        upstreams_rate_limit.prepare(upstream, idle=True)
    except RedisError as problem:
        log.warning(
            "Redis is unreachable; the first call of upstream %s waits for one window: %s",
            upstream.name,
            problem,
        )


def pause(upstream: Upstream, problem: ProviderError) -> None:
    """Pause the account until `resume`; log an error once per pause."""
    paused = Upstream.objects.filter(pk=upstream.pk, paused_at__isnull=True).update(
        paused_at=timezone.now(), paused_status=problem.status, paused_reason=problem.reason[:400]
    )
    if paused:
        log.error("Upstream %s is paused: %s", upstream.name, problem.reason)


@transaction.atomic
def close_model(upstream: Upstream, model: str, problem: ProviderError) -> None:
    """Do not ask the account for this model for ten minutes; log an error once per closing.

    One model says nothing about others. If each model that the account serves was closed, and these are
    several, they confirm each other: then the account is paused.
    """
    row = Upstream.objects.select_for_update(no_key=True).get(pk=upstream.pk)
    now = timezone.now()
    was_closed = row.is_closed(model)
    entry = {
        "until": (now + MODEL_CLOSED).isoformat(),
        "status": problem.status,
        "reason": problem.reason[:400],
    }
    row.closed_models = row.recent_closings | {model: entry}
    Upstream.objects.filter(pk=row.pk).update(closed_models=row.closed_models)
    upstream.closed_models = row.closed_models
    if not was_closed:
        log.error("Upstream %s is not asked for %s for ten minutes: %s", row.name, model, problem.reason)
    if len(row.served_models) > 1 and not row.callable_models:
        pause(row, problem)


def open_model(upstream: Upstream, model: str) -> None:
    """Forget that a model was closed, because the account has drawn it."""
    if model not in upstream.closed_models:
        return
    with transaction.atomic():
        row = Upstream.objects.select_for_update(no_key=True).get(pk=upstream.pk)
        left = {name: entry for name, entry in row.closed_models.items() if name != model}
        Upstream.objects.filter(pk=row.pk).update(closed_models=left)
    log.warning("Upstream %s draws %s again", upstream.name, model)


def takes_soon(model: str) -> bool:
    """Return whether some account can be asked for the model now or within a minute."""
    return any(
        not upstream.is_closed(model) and upstream.serves(model)
        for upstream in Upstream.objects.filter(enabled=True, draining=False, paused_at=None)
        if upstream.blocked_until is None or upstream.blocked_until < timezone.now() + SOON
    )


def models_closed_everywhere() -> set[str]:
    """Return the models that every enabled account which serves them has closed."""
    upstreams = list(Upstream.objects.filter(enabled=True))
    closed = {
        model for upstream in upstreams for model in upstream.closed_models if upstream.is_closed(model)
    }
    return {
        model
        for model in closed
        if all(upstream.is_closed(model) for upstream in upstreams if upstream.serves(model))
    }


def pause_by_operator(upstreams: QuerySet[Upstream], *, by: str) -> int:
    """Pause these until an operator resumes them; return how many."""
    reason = _("Paused by %(name)s.") % {"name": by}
    count = upstreams.filter(enabled=True).update(
        paused_at=Coalesce("paused_at", timezone.now()),
        paused_status=PAUSED_BY_OPERATOR,
        paused_reason=reason[:400],
    )
    log.warning("%s upstreams: %s", count, reason)
    return count


def drain(upstream: Upstream) -> None:
    """Let running calls finish, and start no new ones."""
    Upstream.objects.filter(pk=upstream.pk).update(draining=True)
    log.warning("Upstream %s is draining: running calls finish", upstream.name)


def reopen(upstreams: QuerySet[Upstream]) -> None:
    """Resume and undrain these; a block after a 429 stays."""
    for upstream in upstreams.filter(enabled=True):
        resume(upstream)
    upstreams.filter(draining=True).update(draining=False)


def resume(upstream: Upstream) -> None:
    """End the pause of the account, and ask it again for models that it said not to have."""
    if Upstream.objects.filter(pk=upstream.pk, paused_at__isnull=False).update(
        paused_at=None, paused_status=None, paused_reason=""
    ):
        log.warning("Upstream %s is resumed", upstream.name)
    Upstream.objects.filter(pk=upstream.pk).exclude(closed_models={}).update(closed_models={})


def block(upstream: Upstream, seconds: float | None) -> None:
    """Block the account, and those that share its limit, after a 429; log it once per block.

    `seconds` is Retry-After, None for a minute.
    """
    duration = DEFAULT_BLOCK if seconds is None else max(seconds, 1.0)
    now = timezone.now()
    until = now + timedelta(seconds=duration)
    sharing = Upstream.objects.filter(pk=upstream.pk)
    if upstream.pace_account:
        sharing = Upstream.objects.filter(pace_account=upstream.pace_account)
    was_open = sharing.exclude(blocked_until__gt=now).exists()
    sharing.exclude(blocked_until__gt=until).update(blocked_until=until)
    if was_open:
        log.warning("Upstream %s answered 429: no calls for %.0f s", upstream.name, duration)
    try:
        upstreams_rate_limit.block(upstream, duration)
    except RedisError:
        log.warning("Redis is unreachable; the block of upstream %s is only in the database", upstream.name)


def update_balances(upstreams: Iterable[Upstream] | None = None) -> int:
    """Read the balances of all enabled accounts and end pauses that are over; return how many had one."""
    rows = Upstream.objects.filter(enabled=True) if upstreams is None else upstreams
    return sum(_update_balance(upstream) for upstream in rows)


def _update_balance(upstream: Upstream) -> bool:
    try:
        balance = provider(upstream).balance(timeout=10)
    except ProviderError as problem:
        log.info("The balance of upstream %s could not be read: %s", upstream.name, problem)
        balance = None
    if balance is not None:
        _store_balance(upstream, balance)
    if _pause_is_over(upstream, balance):
        resume(upstream)
    return balance is not None


def _pause_is_over(upstream: Upstream, balance: float | None) -> bool:
    if upstream.paused_at is None or upstream.paused_status in (401, PAUSED_BY_OPERATOR):
        return False
    if upstream.paused_status == 402 and balance is not None:
        return balance > 0
    return timezone.now() - upstream.paused_at > RETRY_AFTER


def _store_balance(upstream: Upstream, balance: float) -> None:
    if abs(balance) >= 1e9:  # more than the column holds
        return
    upstream.balance, upstream.balance_at = Decimal(str(balance)).quantize(Decimal("0.0001")), timezone.now()
    if upstream.pk:
        _add_to_history(upstream, upstream.balance, upstream.balance_at)


@transaction.atomic
def _add_to_history(upstream: Upstream, amount: Decimal, at: datetime) -> None:
    """Store the balance on the row, whose lock serialises this, and once per interval in the history."""
    Upstream.objects.filter(pk=upstream.pk).update(balance=amount, balance_at=at)
    if not Balance.objects.filter(upstream=upstream, asked_at__gt=at - BALANCE_HISTORY_INTERVAL).exists():
        Balance.objects.create(upstream=upstream, amount=amount, asked_at=at)
