"""Which models a member may use: all of them, unless their team keeps one to some roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from generations.jobs.models import ModelRule
from generations.providers import catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generations.teams.models import Membership, Team


class ModelNotAllowed(Exception):
    """The member's role may not use this model in this team."""

    def __init__(self, model: str) -> None:
        super().__init__(
            _("Your role may not use %(model)s in this team. Choose another model, or ask an administrator.")
            % {"model": catalogue.get(model).title}
        )


def rules_of(team: Team) -> Mapping[str, list[str]]:
    """The roles that may use a model, by model; a model that is not here is for all that may generate."""
    return dict(ModelRule.objects.filter(team=team).values_list("model", "roles"))


def closed_to(member: Membership) -> set[str]:
    """The models that the member's role may not use, in one query."""
    return {model for model, roles in rules_of(member.team).items() if member.role not in roles}


def check(member: Membership, model: str) -> None:
    """ModelNotAllowed if the member's role may not use the model."""
    rule = ModelRule.objects.filter(team=member.team_id, model=model).first()
    if rule is not None and member.role not in rule.roles:
        raise ModelNotAllowed(model)
