"""Imports the back office modules, each of which registers its admin classes."""

from generations.office.backoffice import credits as backoffice_credits
from generations.office.backoffice import teams, users

__all__ = ["backoffice_credits", "teams", "users"]
