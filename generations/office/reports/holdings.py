"""Who holds which of a team's credits now: the team itself, and its members, free and held. In hundredths."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generations.credits.models import Account, AccountKind
from generations.office.reports.overview import TeamBalance
from generations.teams.models import Membership, Team

MAX_NAMED = 9  # members with most; the others are one row


@dataclass(frozen=True)
class Holder:
    """One row of the picture; its bar is drawn on a scale on which `scale` is the whole width."""

    name: str
    url: str
    free: int
    held: int
    is_team: bool
    scale: int

    @property
    def free_width(self) -> str:
        """The width of what is free, in per cent."""
        return _percent(self.free, self.scale)

    @property
    def held_width(self) -> str:
        """The width of what is held; its bar begins where the free part ends."""
        return _percent(self.held, self.scale)


def holdings(team: Team, balance: TeamBalance) -> list[Holder]:
    """Return the team's row, then its members by what they hold; all rows add up to the team's balance."""
    wallets = Account.objects.filter(kind=AccountKind.WALLET, membership__team=team, balance__gt=0)
    named = list(wallets.select_related("membership__user").order_by("-balance", "pk")[:MAX_NAMED])
    others = wallets.count() - len(named)
    rest = balance.wallets - sum(wallet.balance for wallet in named)
    rest_held = balance.held - sum(wallet.held for wallet in named)
    scale = max([balance.pool, rest, *(wallet.balance for wallet in named), 1])
    rows = [Holder(_("Team, free to grant"), "", balance.pool, 0, True, scale)]
    rows += [_of_member(team, wallet.membership, wallet, scale) for wallet in named if wallet.membership]
    if others:
        words = ngettext("%(count)s other member", "%(count)s other members", others) % {"count": others}
        rows.append(Holder(words, "", rest - rest_held, rest_held, False, scale))
    return rows


def _of_member(team: Team, member: Membership, wallet: Account, scale: int) -> Holder:
    url = reverse("office:member", args=[team.slug, member.pk])
    return Holder(str(member), url, wallet.available, wallet.held, False, scale)


def _percent(amount: int, scale: int) -> str:
    return f"{100 * max(amount, 0) / scale:.2f}%"
