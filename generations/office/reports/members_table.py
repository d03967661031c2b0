"""The table of a team's members with their credits: searched, sorted, a page at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from generations.core import svg_charts
from generations.credits import periods
from generations.credits.totals import TeamTotals
from generations.office.models import Allowance, AllowanceKind
from generations.office.reports import overview as reports_overview
from generations.teams.models import Kind, Membership, Team

PAGE_SIZE = 30
FIELDS = ("pk", "name", "user__name", "user__email", "wallet__balance", "wallet__held")


@dataclass(frozen=True)
class SortRow:
    """The values that a member is sorted by."""

    pk: int
    name: str
    available: int
    held: int
    spent: int


@dataclass(frozen=True)
class MemberRow:
    """A member as the table shows them; amounts in hundredths."""

    member: Membership
    pk: str  # for URLs
    name: str
    url: str  # of the member's page
    available: int
    held: int
    is_low: bool
    allowance: Allowance | None
    spent: int
    sparkline: str  # points of an SVG polyline
    sparkline_end: list[str]  # x and y of its last point
    is_program: bool

    @property
    def tops_up(self) -> bool:
        """Whether the allowance tops up to its amount, rather than adds it."""
        return self.allowance is not None and self.allowance.kind == AllowanceKind.TOP_UP


@dataclass(frozen=True)
class MembersTable:
    """A page of members, and the totals of all pages."""

    rows: list[MemberRow]
    page: int
    pages: int
    found: int
    available: int
    held: int
    spent: int
    spent_by_former: int  # by members who have left since
    month: str  # as URLs name it; empty for the present one
    sort: str
    search: str

    @property
    def is_unfiltered(self) -> bool:
        """Whether the table has all members."""
        return not self.search

    @property
    def total_spent(self) -> int:
        """What present and former members spent."""
        return self.spent + self.spent_by_former

    @property
    def previous_query(self) -> str:
        """The query string of the previous page."""
        return self._query(self.page - 1)

    @property
    def next_query(self) -> str:
        """The query string of the next page."""
        return self._query(self.page + 1)

    def _query(self, page: int) -> str:
        values: dict[str, str | int] = {
            "month": self.month,
            "q": self.search,
            "sort": self.sort,
            "page": page,
        }
        return urlencode({name: value for name, value in values.items() if value})


SORT_KEYS: dict[str, Callable[[SortRow], Any]] = {
    "name": lambda row: (row.name.casefold(), row.pk),
    "available": lambda row: (-row.available, row.pk),
    "held": lambda row: (-row.held, row.pk),
    "spent": lambda row: (-row.spent, row.pk),
}


def members_table(
    books: TeamTotals,
    spent: Counter[Any],
    *,
    month: str = "",
    search: str = "",
    sort: str = "name",
    page: int = 1,
) -> MembersTable:
    """Return the members whose name or email contains `search`; `spent` is the month's spending by member."""
    sort = sort if sort in SORT_KEYS else "name"
    members = Membership.objects.filter(team=books.team, ended_at=None)
    sorted_rows = sorted(_sort_rows(_matching(members, search), spent), key=SORT_KEYS[sort])
    pages = max(-(-len(sorted_rows) // PAGE_SIZE), 1)
    page = min(max(page, 1), pages)
    shown = [row.pk for row in sorted_rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]]
    spent_by_present = sum(row.spent for row in sorted_rows)
    return MembersTable(
        rows=_member_rows(books, shown, spent),
        page=page,
        pages=pages,
        found=len(sorted_rows),
        available=sum(row.available for row in sorted_rows),
        held=sum(row.held for row in sorted_rows),
        spent=spent_by_present,
        spent_by_former=0 if search else sum(spent.values()) - spent_by_present,
        month=month,
        sort=sort,
        search=search,
    )


def _matching(members: QuerySet[Membership], search: str) -> QuerySet[Membership]:
    if not search:
        return members
    named = Q(name__icontains=search) | Q(user__name__icontains=search)
    return members.filter(named | Q(user__email__icontains=search))


def _sort_rows(members: QuerySet[Membership], spent: Mapping[Any, int]) -> list[SortRow]:
    return [
        SortRow(
            pk=pk,
            name=own or name or email or "",
            available=(balance or 0) - (held or 0),
            held=held or 0,
            spent=spent.get(pk, 0),
        )
        for pk, own, name, email, balance, held in members.values_list(*FIELDS)
    ]


def _member_rows(books: TeamTotals, shown: list[int], spent: Mapping[Any, int]) -> list[MemberRow]:
    members = Membership.objects.select_related("user", "wallet", "allowance").in_bulk(shown)
    days = reports_overview.daily_spending(books, shown, periods.today(books.team))
    return [_member_row(books.team, members[pk], spent.get(pk, 0), days[pk]) for pk in shown if pk in members]


def _member_row(team: Team, member: Membership, spent: int, days: list[int]) -> MemberRow:
    wallet = getattr(member, "wallet", None)  # a member without credits may have none yet
    available = wallet.available if wallet else 0
    sparkline = svg_charts.sparkline([max(amount, 0) for amount in days])
    return MemberRow(
        member=member,
        pk=str(member.pk),
        name=str(member),
        url=reverse("office:member", args=[team.slug, member.pk]),
        available=available,
        held=wallet.held if wallet else 0,
        is_low=0 < team.low_wallet > available,
        allowance=getattr(member, "allowance", None),
        spent=spent,
        sparkline=sparkline.points,
        sparkline_end=sparkline.end,
        is_program=member.kind == Kind.PROGRAM,
    )


def sort_titles(month: str) -> dict[str, str]:
    """Return the titles of the columns that the table can be sorted by."""
    return {
        "name": _("Member"),
        "available": _("Available"),
        "held": _("Held"),
        "spent": _("Spent in %(month)s") % {"month": month},
    }
