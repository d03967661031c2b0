"""Who is in a team, and who was invited: what the page of people shows, in a constant number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.paginator import Paginator
from django.db.models import Case, Count, F, Prefetch, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Lower, NullIf
from django.utils import timezone

from generations.teams.models import Invitation, InvitationUse, Kind, Membership, Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.core.paginator import Page

    from generations.teams.models import Team

PAGE = 50
SHOWN_ENDED = 30
RANK = Case(*(When(role=role, then=Value(place)) for place, role in enumerate(Role)))
CALLED = Lower(Coalesce(NullIf("user__name", Value("")), NullIf("name", Value("")), "user__email"))


@dataclass(frozen=True)
class Invited:
    """One invitation, and who came by it."""

    row: Invitation
    state: str  # open, used, expired or revoked
    people: list[Membership]
    without_credits: int  # how many came when the pool had too little


def members(team: Team, *, words: str = "", page: str = "1") -> Page[Membership]:
    """Who is in the team, owners first, a page at a time; or whose name or address has the words in it."""
    rows = _present(team).select_related("user", "wallet").order_by(RANK, CALLED, "pk")
    for word in words.split()[:8]:
        rows = rows.filter(
            Q(user__name__icontains=word) | Q(user__email__icontains=word) | Q(name__icontains=word)
        )
    return Paginator(rows, PAGE).get_page(page)


def numbers(team: Team) -> dict[str, int]:
    """How many people and programs there are."""
    return _present(team).aggregate(
        people=Count("pk", filter=Q(kind=Kind.PERSON)), programs=Count("pk", filter=Q(kind=Kind.PROGRAM))
    )


def invitations(team: Team, *, page: str = "1") -> tuple[Page[Invitation], list[Invited], list[Invited]]:
    """Those that are open, the newest first and a page at a time, and the last that no longer are."""
    uses = InvitationUse.objects.select_related("membership__user").order_by("used_at")
    rows = Invitation.objects.filter(team=team).select_related("made_by")
    rows = rows.prefetch_related(Prefetch("people", uses)).order_by("-created_at", "-pk")
    good = Q(revoked_at=None, expires_at__gt=timezone.now(), used__lt=F("uses"))
    open_ones = Paginator(rows.filter(good), PAGE).get_page(page)
    return open_ones, _shown(open_ones.object_list), _shown(rows.exclude(good)[:SHOWN_ENDED])


def _present(team: Team) -> QuerySet[Membership]:
    return Membership.objects.filter(team=team, ended_at=None)


def _shown(rows: Iterable[Invitation]) -> list[Invited]:
    return [
        Invited(
            row=row,
            state=_state(row),
            people=[use.membership for use in row.people.all()],
            without_credits=sum(use.granted < row.credits for use in row.people.all()),
        )
        for row in rows
    ]


def _state(row: Invitation) -> str:
    if row.revoked_at:
        return "revoked"
    if row.used >= row.uses:
        return "used"
    return "open" if row.expires_at > timezone.now() else "expired"
