"""Read the members of a team: a page of them, their numbers and their names."""

from __future__ import annotations

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Lower, NullIf

from generations.teams.models import Kind, Membership, Role, Team

PAGE_SIZE = 50
MAX_SEARCH_TERMS = 8
ROLE_ORDER = Case(*(When(role=role, then=Value(rank)) for rank, role in enumerate(Role)))
NAME = Lower(Coalesce(NullIf("user__name", Value("")), NullIf("name", Value("")), "user__email"))


def list_members(team: Team, *, search: str = "", page: str = "1") -> Page[Membership]:
    """Return a page of the current members whose name or address contains every search term, owners first."""
    rows = _current(team).select_related("user", "wallet").order_by(ROLE_ORDER, NAME, "pk")
    for term in search.split()[:MAX_SEARCH_TERMS]:
        rows = rows.filter(
            Q(user__name__icontains=term) | Q(user__email__icontains=term) | Q(name__icontains=term)
        )
    return Paginator(rows, PAGE_SIZE).get_page(page)


def count_by_kind(team: Team) -> dict[str, int]:
    """Return the numbers of `people` and `programs` in the team."""
    return _current(team).aggregate(
        people=Count("pk", filter=Q(kind=Kind.PERSON)), programs=Count("pk", filter=Q(kind=Kind.PROGRAM))
    )


def member_names(team: Team) -> dict[int, str]:
    """Return the names of current and former members by the membership's key, sorted by name."""
    rows = Membership.objects.filter(team=team).values_list("pk", "name", "user__name", "user__email")
    names = {pk: own or name or email or "" for pk, own, name, email in rows}
    return dict(sorted(names.items(), key=lambda pair: (pair[1].casefold(), pair[0])))


def _current(team: Team) -> QuerySet[Membership]:
    return Membership.objects.filter(team=team, ended_at=None)
