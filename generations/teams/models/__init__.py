"""The rows of teams: people, teams, memberships, invitations, API tokens."""

from generations.teams.models.api_token import Scope, Token
from generations.teams.models.team import (
    Invitation,
    InvitationUse,
    Kind,
    Membership,
    Role,
    Team,
    TimeZoneField,
    User,
    UserManager,
    Visibility,
    validate_time_zone,
)

__all__ = [
    "Invitation",
    "InvitationUse",
    "Kind",
    "Membership",
    "Role",
    "Scope",
    "Team",
    "TimeZoneField",
    "Token",
    "User",
    "UserManager",
    "Visibility",
    "validate_time_zone",
]
