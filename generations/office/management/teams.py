"""Teams as the arguments of commands name them."""

from __future__ import annotations

from generations.office.members import service as members_service
from generations.teams.models import Team


def find_or_create(name: str) -> Team:
    """Return the oldest team with that slug or, ignoring case, that name; else create a team of that name."""
    teams = Team.objects.order_by("pk")
    found = teams.filter(slug=name).first() or teams.filter(name__iexact=name).first()
    return found or members_service.create_team(name)
