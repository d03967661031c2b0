"""What the members of a team are called, those who left included."""

from __future__ import annotations

from generations.teams.models import Membership, Team


def names(team: Team) -> dict[int, str]:
    """Every membership there ever was, by its key, in the order of the names."""
    known = Membership.objects.filter(team=team).values_list("pk", "name", "user__name", "user__email")
    called = {pk: own or name or email or "" for pk, own, name, email in known}
    return dict(sorted(called.items(), key=lambda pair: (pair[1].casefold(), pair[0])))
