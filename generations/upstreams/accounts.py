"""Open, test, pause and resume provider accounts."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from generations.core.prepared_queries import PreparedQuery
from generations.providers import fetch_result, open_provider
from generations.providers import look as gateway_look
from generations.providers.base import Output, Provider, ProviderError, Unavailable
from generations.providers.chat.text import TextChat
from generations.providers.look import Found
from generations.providers.registry import GATEWAY, Switch, open_text_chat
from generations.upstreams import encryption
from generations.upstreams.models import Balance, Upstream

log = logging.getLogger(__name__)

BALANCE_HISTORY_INTERVAL = timedelta(minutes=15)
PAUSED_BY_OPERATOR = 0  # status of a pause that only an operator ends
RETRY_AFTER = timedelta(minutes=10)  # end of a pause that a balance does not end
MODEL_CLOSED = timedelta(minutes=10)  # for which an account is not asked for a model that it lacks
MAX_COST = 1_000_000_00  # hundredths of a US cent, of one call
SOON = timedelta(minutes=1)  # within which an image whose model is closed must go elsewhere or end

_enabled = PreparedQuery(lambda: Upstream.objects.filter(enabled=True))


@lru_cache(maxsize=64)
def _provider(
    *,
    kind: str,
    base_url: str,
    encrypted_key: str,
    proxy: str,
    encrypted_login: str,
    systems: tuple[tuple[str, Switch], ...],
    wire_names: tuple[tuple[str, str], ...],
) -> Provider:
    through = Upstream(proxy=proxy, encrypted_proxy_login=encrypted_login).proxy_address
    key = encryption.decrypt(encrypted_key)
    return open_provider(kind, base_url, key, through, systems=dict(systems), wire_names=dict(wire_names))


def provider(upstream: Upstream) -> Provider:
    """Return the client of the account; Unavailable if its base URL, key, proxy or a system is unusable."""
    try:
        return _provider(
            kind=upstream.kind,
            base_url=upstream.base_url,
            encrypted_key=upstream.encrypted_key,
            proxy=upstream.proxy,
            encrypted_login=upstream.encrypted_proxy_login,
            systems=tuple(upstream.switches.items()),
            wire_names=tuple(upstream.wire_names.items()),
        )
    except ValueError as problem:
        reason = str(problem)
    raise Unavailable(reason)


def text_chat(upstream: Upstream) -> TextChat:
    """Return the account's chat models; Unavailable if its base URL, key, proxy or kind is unusable."""
    try:
        return open_text_chat(
            upstream.kind,
            upstream.base_url,
            upstream.key,
            upstream.proxy_address,
            systems=upstream.switches,
        )
    except ValueError as problem:
        reason = str(problem)
    raise Unavailable(reason)


def helping_with_prompts(rows: Iterable[Upstream] | None = None) -> list[Upstream]:
    """Return the enabled accounts that have a chat model for prompts, the first to be used first.

    `rows` are the enabled ones, if they were read.
    """
    given = enabled() if rows is None else rows
    able = [row for row in given if row.helps_with_prompts and not row.draining and row.paused_at is None]
    return sorted(able, key=lambda row: (row.order, row.pk))


def result_hosts(upstream: Upstream) -> tuple[str, ...]:
    """Return from which hosts the account's results are fetched: its own, its systems', or its address's.

    A gateway may give results from its own address besides. Unavailable as `provider` raises it.
    """
    own_host = urlsplit(upstream.base_url).hostname or ""
    if upstream.result_hosts:
        return tuple(upstream.result_hosts)
    of_systems = provider(upstream).result_hosts
    if upstream.kind == GATEWAY:
        return (*of_systems, own_host)
    return of_systems or (own_host,)


def fetch(upstream: Upstream, output: Output, *, timeout: float = fetch_result.TIMEOUT) -> Output:
    """Return an output that is given by address with its bytes, from where the account's results come.

    Raises fetch_result.FetchFailed, and what `result_hosts` raises.
    """
    return fetch_result.fetch(
        output,
        hosts=result_hosts(upstream),
        allow_private=upstream.private_results,
        proxy=upstream.proxy_address,
        timeout=timeout,
    )


@dataclass(frozen=True)
class Answer:
    """What an account said to the free question for its balance; `problem` is empty if it answered."""

    problem: str = ""
    status: int | None = None
    balance: float | None = None

    @property
    def is_good(self) -> bool:
        """Whether the account took its key."""
        return not self.problem

    @property
    def sentence(self) -> str:
        """What was said, for operators."""
        if self.problem:
            return f"{self.problem} ({self.status})" if self.status else self.problem
        if self.balance is None:
            return _("It answers, and has no balance to show.")
        return _("It answers. Its balance is %(balance)s.") % {
            "balance": number_format(self.balance, 2, force_grouping=True)
        }


def ask(upstream: Upstream) -> Answer:
    """Ask the account for its balance, which costs nothing. The row may be new, and is not changed."""
    try:
        return Answer(balance=provider(upstream).balance(timeout=10))
    except ProviderError as problem:
        return Answer(problem.reason[:400] or _("It gave no reason."), problem.status)


def look(upstream: Upstream) -> Found:
    """Ask a gateway what it sells, which costs nothing; ProviderError, for operators, if it does not say.

    The row may be new, and is not changed.
    """
    try:
        return gateway_look.look(upstream.base_url, upstream.key, upstream.proxy_address)
    except ValueError as problem:
        reason = str(problem)
    raise Unavailable(reason)


def test(upstream: Upstream) -> Answer:
    """Ask a stored account as `ask` does, and remember what it said."""
    answer = ask(upstream)
    remember(upstream, answer)
    return answer


def remember(upstream: Upstream, answer: Answer) -> None:
    """Remember on the stored row what the account said to a test."""
    values = {"tested_at": timezone.now(), "test_status": answer.status, "test_problem": answer.problem}
    Upstream.objects.filter(pk=upstream.pk).update(**values)
    for name, value in values.items():
        setattr(upstream, name, value)
    if answer.balance is not None:
        _store_balance(upstream, answer.balance)


def enable(upstream: Upstream) -> None:
    """Call the account from now on, also if its last test had failed: some refuse only the free question."""
    Upstream.objects.filter(pk=upstream.pk).update(enabled=True)
    log.warning("Provider account %s is switched on", upstream.name)


def disable(upstream: Upstream) -> None:
    """Call the account no more until `enable`; running calls are finished."""
    Upstream.objects.filter(pk=upstream.pk).update(enabled=False)
    log.warning("Provider account %s is switched off", upstream.name)


def pause(upstream: Upstream, problem: ProviderError) -> None:
    """Pause the account until `resume`; log an error once per pause."""
    paused = Upstream.objects.filter(pk=upstream.pk, paused_at__isnull=True).update(
        paused_at=timezone.now(), paused_status=problem.status, paused_reason=problem.reason[:400]
    )
    if paused:
        log.error("Provider account %s is paused: %s", upstream.name, problem.reason)


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
        log.error(
            "Provider account %s is not asked for %s for ten minutes: %s", row.name, model, problem.reason
        )
    served = row.served_models
    if len(served) > 1 and all(row.is_closed(each) for each in served):
        pause(row, problem)


def open_model(upstream: Upstream, model: str) -> None:
    """Forget that a model was closed, because the account has drawn it."""
    if model not in upstream.closed_models:
        return
    with transaction.atomic():
        row = Upstream.objects.select_for_update(no_key=True).get(pk=upstream.pk)
        left = {name: entry for name, entry in row.closed_models.items() if name != model}
        Upstream.objects.filter(pk=row.pk).update(closed_models=left)
    log.warning("Provider account %s draws %s again", upstream.name, model)


def enabled() -> list[Upstream]:
    """Return the accounts that are switched on. One query."""
    return _enabled.all()


def served_models(rows: Iterable[Upstream] | None = None) -> frozenset[str]:
    """Return the names of the models that some enabled account has; `rows` are these, if they were read."""
    return frozenset(model for row in (enabled() if rows is None else rows) for model in row.served_models)


def takes_soon(model: str) -> bool:
    """Return whether some account can be asked for the model now or within a minute."""
    return any(
        not upstream.is_closed(model) and upstream.serves(model)
        for upstream in Upstream.objects.filter(enabled=True, draining=False, paused_at=None)
        if (until := upstream.blocked_until_for(model)) is None or until < timezone.now() + SOON
    )


def models_closed_everywhere() -> set[str]:
    """Return the models that every enabled account which serves them has closed."""
    upstreams = enabled()
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
    log.warning("%s provider accounts: %s", count, reason)
    return count


def drain(upstream: Upstream) -> None:
    """Let running calls finish, and start no new ones."""
    Upstream.objects.filter(pk=upstream.pk).update(draining=True)
    log.warning("Provider account %s is draining: running calls finish", upstream.name)


def reopen(upstreams: QuerySet[Upstream]) -> None:
    """Resume and undrain these; a block after a 429 stays."""
    for upstream in upstreams.filter(enabled=True):
        resume(upstream, by_operator=True)
    upstreams.filter(draining=True).update(draining=False)


def resume(upstream: Upstream, *, by_operator: bool = False) -> None:
    """End the pause of the account, and ask it again for models that it said not to have.

    A pause that an operator made ends only `by_operator`.
    """
    paused = Upstream.objects.filter(pk=upstream.pk, paused_at__isnull=False)
    if not by_operator:
        paused = paused.exclude(paused_status=PAUSED_BY_OPERATOR)
    if paused.update(paused_at=None, paused_status=None, paused_reason=""):
        log.warning("Provider account %s is resumed", upstream.name)
    Upstream.objects.filter(pk=upstream.pk).exclude(closed_models={}).update(closed_models={})


def update_balances(upstreams: Iterable[Upstream] | None = None) -> int:
    """Read the balances of all enabled accounts and end pauses that are over; return how many had one."""
    rows = Upstream.objects.filter(enabled=True) if upstreams is None else upstreams
    return sum(_update_balance(upstream) for upstream in rows)


def _update_balance(upstream: Upstream) -> bool:
    try:
        balance = provider(upstream).balance(timeout=10)
    except ProviderError as problem:
        log.info("The balance of provider account %s could not be read: %s", upstream.name, problem)
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
