"""Django looks here for what an app adds to the back office: each module registers its own."""

from generations.office.backoffice import credits as backoffice_credits
from generations.office.backoffice import teams, upstreams, users

__all__ = ["backoffice_credits", "teams", "upstreams", "users"]
