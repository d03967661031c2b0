"""Read the invitations of a team, with who accepted each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import F, Prefetch, Q
from django.utils import timezone

from generations.teams.models import Invitation, InvitationUse, Membership, Team

PAGE_SIZE = 50
MAX_ENDED = 30


@dataclass(frozen=True)
class ListedInvitation:
    """An invitation as the page of members shows it, with the members who accepted it."""

    row: Invitation
    state: str  # open, used, expired or revoked
    accepted_by: list[Membership]
    without_credits: int  # how many of them got no starting credits, because the pool had too little


def list_invitations(
    team: Team, *, page: str = "1"
) -> tuple[Page[Invitation], list[ListedInvitation], list[ListedInvitation]]:
    """Return a page of open invitations, newest first.

    Its rows as listed; and the latest that are not open.
    """
    uses = InvitationUse.objects.select_related("membership__user").order_by("used_at")
    rows = Invitation.objects.filter(team=team).select_related("made_by")
    rows = rows.prefetch_related(Prefetch("people", uses)).order_by("-created_at", "-pk")
    is_open = Q(revoked_at=None, expires_at__gt=timezone.now(), used__lt=F("uses"))
    open_page = Paginator(rows.filter(is_open), PAGE_SIZE).get_page(page)
    return open_page, _listed(open_page.object_list), _listed(rows.exclude(is_open)[:MAX_ENDED])


def _listed(rows: Iterable[Invitation]) -> list[ListedInvitation]:
    return [
        ListedInvitation(
            row=row,
            state=_state(row),
            accepted_by=[use.membership for use in row.people.all()],
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
