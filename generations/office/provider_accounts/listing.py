"""The provider accounts as operators see them: state, pace, balance and latest calls. Four queries."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.jobs.models import Attempt, Outcome
from generations.jobs.queue import account_cards
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.registry import GATEWAY
from generations.upstreams import environment as upstreams_environment
from generations.upstreams import provider_groups
from generations.upstreams.models import Upstream

DAY = timedelta(hours=24)
GOOD = (Outcome.OK, Outcome.ACCEPTED)


@dataclass(frozen=True)
class AccountRow:
    """One account. `shares_with` names those that are the same account at the provider."""

    upstream: Upstream
    state: str  # open, blocked, paused, draining, refused or off
    rest: int  # seconds until a block ends
    shares_with: str
    served: int
    models: int
    calls: int  # of the last 24 hours
    failures: int
    last_call: datetime | None
    halts: list[account_cards.Halt]

    @property
    def has_closed_models(self) -> bool:
        """Whether models are not asked for that it said not to have."""
        return any(halt.is_model for halt in self.halts)

    @property
    def system(self) -> str:
        """Whose API it speaks."""
        return kind_title(self.upstream.kind)

    @property
    def variables(self) -> dict[str, str]:
        """The fields that variables of the environment set."""
        if not self.upstream.from_environment:
            return {}
        return upstreams_environment.variables_of_fields(self.upstream.kind)


def kind_title(kind: str) -> str:
    """Return what a kind of account is called on pages."""
    return _("Gateway") if kind == GATEWAY else catalogue_registry.system_title(kind)


def rows() -> list[AccountRow]:
    """Return all accounts: those that are called first, then those that are switched off."""
    upstreams = sorted(Upstream.objects.all(), key=lambda each: not each.enabled)
    calls = _calls(timezone.now() - DAY)
    last = _last_calls()
    return [
        _row(upstream, others, calls, last.get(upstream.pk)) for upstream, others in _with_others(upstreams)
    ]


def row_of(upstream: Upstream) -> AccountRow:
    """Return one account."""
    return next(row for row in rows() if row.upstream.pk == upstream.pk)


def _with_others(upstreams: list[Upstream]) -> list[tuple[Upstream, str]]:
    groups = {row.pk: group for group in provider_groups.grouped(upstreams) for row in group}
    return [
        (row, ", ".join(other.name for other in groups[row.pk] if other.pk != row.pk)) for row in upstreams
    ]


def _calls(since: datetime) -> Counter[tuple[int, bool]]:
    """{(account, whether it went well): ended calls}."""
    ended = Attempt.objects.filter(started_at__gte=since).exclude(outcome="")
    counted = ended.order_by().values("upstream", "outcome").annotate(calls=Count("pk"))
    found: Counter[tuple[int, bool]] = Counter()
    for upstream, outcome, calls in counted.values_list("upstream", "outcome", "calls"):
        found[upstream, outcome in GOOD] += calls
    return found


def _last_calls() -> dict[int, datetime]:
    newest = Attempt.objects.order_by().values("upstream").annotate(at=Max("started_at"))
    return dict(newest.values_list("upstream", "at"))


def _row(
    upstream: Upstream, others: str, calls: Counter[tuple[int, bool]], last: datetime | None
) -> AccountRow:
    state, rest = account_cards.state(upstream, timezone.now())
    if not upstream.enabled:
        state = "refused" if upstream.test_problem else "off"
    good, bad = calls[upstream.pk, True], calls[upstream.pk, False]
    return AccountRow(
        upstream=upstream,
        state=state,
        rest=rest,
        shares_with=others,
        served=len(upstream.served_models),
        models=len(upstream.possible_models),
        calls=good + bad,
        failures=bad,
        last_call=last,
        halts=account_cards.halts(upstream) if upstream.enabled else [],
    )
