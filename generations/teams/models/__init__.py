"""Models of teams: users, teams, memberships, invitations, API tokens."""

from generations.teams.models.api_token import Scope, Token
from generations.teams.models.invitation import Invitation, InvitationUse
from generations.teams.models.membership import Kind, Membership, Role
from generations.teams.models.team import Team
from generations.teams.models.time_zone import TimeZoneField, validate_time_zone
from generations.teams.models.user import User, UserManager, Visibility

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
