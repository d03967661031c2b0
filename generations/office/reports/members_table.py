"""The members of a team with their credits, a page of them at a time, in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from generations.credits import periods
from generations.credits.totals import TeamTotals
from generations.jobs.queue import svg_charts
from generations.office.models import Allowance, AllowanceKind
from generations.office.reports import overview as reports_overview
from generations.teams.models import Kind, Membership, Team

PAGE = 30
FIELDS = ("pk", "name", "user__name", "user__email", "wallet__balance", "wallet__held")


@dataclass(frozen=True)
class Light:
    """What a member is sorted by."""

    pk: int
    name: str
    available: int
    held: int
    spent: int


@dataclass(frozen=True)
class Line:
    """One member as the table shows them; amounts in hundredths."""

    member: Membership
    pk: str  # as an address carries it
    name: str
    address: str  # of the member's own page
    available: int
    held: int
    is_low: bool
    allowance: Allowance | None
    spent: int
    spark: str
    spark_end: list[str]
    is_program: bool

    @property
    def tops_up(self) -> bool:
        """Whether the allowance fills the wallet up to its amount, and does not add it."""
        return self.allowance is not None and self.allowance.kind == AllowanceKind.TOP_UP


@dataclass(frozen=True)
class Table:
    """A page of members, and what all of them come to."""

    lines: list[Line]
    page: int
    pages: int
    found: int
    available: int
    held: int
    spent: int
    left: int  # what was spent by members who have left since
    month: str  # as the address names it; empty for the present one
    sort: str
    search: str

    @property
    def is_whole(self) -> bool:
        """Whether it shows everybody, so that it can be added up."""
        return not self.search

    @property
    def all_spent(self) -> int:
        """What the foot of the column says."""
        return self.spent + self.left

    @property
    def back(self) -> str:
        """The address of the page before."""
        return self._address(self.page - 1)

    @property
    def on(self) -> str:
        """The address of the next page."""
        return self._address(self.page + 1)

    def _address(self, page: int) -> str:
        kept: dict[str, str | int] = {"month": self.month, "q": self.search, "sort": self.sort, "page": page}
        return urlencode({name: value for name, value in kept.items() if value})


SORTS: dict[str, Callable[[Light], Any]] = {
    "name": lambda light: (light.name.casefold(), light.pk),
    "available": lambda light: (-light.available, light.pk),
    "held": lambda light: (-light.held, light.pk),
    "spent": lambda light: (-light.spent, light.pk),
}


def read(
    books: TeamTotals,
    spent: Counter[Any],
    *,
    month: str = "",
    search: str = "",
    sort: str = "name",
    page: int = 1,
) -> Table:
    """The members whose name or address contains that, sorted so; `spent` is what each spent."""
    sort = sort if sort in SORTS else "name"
    everybody = Membership.objects.filter(team=books.team, ended_at=None)
    lights = sorted(_lights(_matching(everybody, search), spent), key=SORTS[sort])
    pages = max(-(-len(lights) // PAGE), 1)
    page = min(max(page, 1), pages)
    shown = [light.pk for light in lights[(page - 1) * PAGE : page * PAGE]]
    here = sum(light.spent for light in lights)
    return Table(
        lines=_lines(books, shown, spent),
        page=page,
        pages=pages,
        found=len(lights),
        available=sum(light.available for light in lights),
        held=sum(light.held for light in lights),
        spent=here,
        left=0 if search else sum(spent.values()) - here,
        month=month,
        sort=sort,
        search=search,
    )


def _matching(members: QuerySet[Membership], search: str) -> QuerySet[Membership]:
    if not search:
        return members
    named = Q(name__icontains=search) | Q(user__name__icontains=search)
    return members.filter(named | Q(user__email__icontains=search))


def _lights(members: QuerySet[Membership], spent: Mapping[Any, int]) -> list[Light]:
    return [
        Light(
            pk=pk,
            name=own or name or email or "",
            available=(balance or 0) - (held or 0),
            held=held or 0,
            spent=spent.get(pk, 0),
        )
        for pk, own, name, email, balance, held in members.values_list(*FIELDS)
    ]


def _lines(books: TeamTotals, shown: list[int], spent: Mapping[Any, int]) -> list[Line]:
    members = Membership.objects.select_related("user", "wallet", "allowance").in_bulk(shown)
    days = reports_overview.last_days(books, shown, periods.today(books.team))
    return [_line(books.team, members[pk], spent.get(pk, 0), days[pk]) for pk in shown if pk in members]


def _line(team: Team, member: Membership, spent: int, days: list[int]) -> Line:
    wallet = getattr(member, "wallet", None)  # who was never granted any may have none
    available = wallet.available if wallet else 0
    spark = svg_charts.spark([max(amount, 0) for amount in days])
    return Line(
        member=member,
        pk=str(member.pk),
        name=str(member),
        address=reverse("office:member", args=[team.slug, member.pk]),
        available=available,
        held=wallet.held if wallet else 0,
        is_low=0 < team.low_wallet > available,
        allowance=getattr(member, "allowance", None),
        spent=spent,
        spark=spark,
        spark_end=spark.rpartition(" ")[2].split(","),
        is_program=member.kind == Kind.PROGRAM,
    )


def sort_titles(month: str) -> dict[str, str]:
    """The columns that the table can be sorted by."""
    return {
        "name": _("Member"),
        "available": _("Available"),
        "held": _("Held"),
        "spent": _("Spent in %(month)s") % {"month": month},
    }
