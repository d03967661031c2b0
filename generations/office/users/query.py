"""The users of the installation for its operators: by address or name, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Q

from generations.teams.models import User

PAGE_SIZE = 50


@dataclass(frozen=True)
class UserRow:
    """One user, in how many teams they are, and when they were last seen in one or signed in."""

    user: User
    teams: int
    seen_at: datetime | None


def user_page(words: str = "", page: int = 1) -> tuple[list[UserRow], bool]:
    """Return a page of the users whose address or name has all the words, and whether there are more."""
    found = User.objects.all()
    for word in words.split()[:8]:
        found = found.filter(Q(email__icontains=word) | Q(name__icontains=word))
    start = (max(page, 1) - 1) * PAGE_SIZE
    users = list(found.order_by("email")[start : start + PAGE_SIZE + 1])
    return rows(users[:PAGE_SIZE]), len(users) > PAGE_SIZE


def rows(users: list[User]) -> list[UserRow]:
    """Return the rows of these users. One query."""
    current = Count(
        "memberships", filter=Q(memberships__ended_at=None, memberships__team__deactivated_at=None)
    )
    known = User.objects.filter(pk__in=[user.pk for user in users]).annotate(
        teams=current, seen=Max("memberships__seen_at")
    )
    numbers = {pk: (teams, seen) for pk, teams, seen in known.values_list("pk", "teams", "seen")}
    return [
        UserRow(user, numbers[user.pk][0], _latest(user.last_login, numbers[user.pk][1])) for user in users
    ]


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)
