"""What a member may use: all models, unless their team keeps one to some roles or their token knows fewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Sum
from django.utils.translation import gettext as _

from generations.core.prepared_queries import Param, PreparedQuery
from generations.credits.amounts import as_text
from generations.jobs.models import Generation, ModelRule, Status
from generations.providers.catalogue import registry as catalogue_registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generations.teams.models import Membership, Team, Token

_rule = PreparedQuery(lambda: ModelRule.objects.filter(team=Param("team"), model=Param("model")))
FREE = (Status.FAILED, Status.FILTERED, Status.CANCELED)  # what ended so was not charged


class ModelNotAllowed(Exception):
    """The member's role may not use this model in this team."""

    def __init__(self, model: str) -> None:
        super().__init__(
            _("Your role may not use %(model)s in this team. Choose another model, or ask an administrator.")
            % {"model": catalogue_registry.get(model).title}
        )


class ModelNotForToken(ModelNotAllowed):
    """The token was made for other models."""

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self.args = (
            _("This API token may not use %(model)s. Choose another model, or make another token.")
            % {"model": catalogue_registry.get(model).title},
        )


class TokenCapReached(Exception):
    """The token may not spend as much; `left` and `cap` are hundredths of a credit."""

    def __init__(self, *, cap: int, left: int) -> None:
        self.cap, self.left = cap, left
        super().__init__(
            _("This API token may spend %(cap)s credits in all, and %(left)s of it are left.")
            % {"cap": as_text(cap), "left": as_text(left)}
        )


def rules_of(team: Team) -> Mapping[str, list[str]]:
    """The roles that may use a model, by model; a model that is not here is for all that may generate."""
    return dict(ModelRule.objects.filter(team=team).values_list("model", "roles"))


def closed_to(member: Membership) -> set[str]:
    """The models that the member's role may not use, in one query."""
    return {model for model, roles in rules_of(member.team).items() if member.role not in roles}


def check(member: Membership, model: str, token: Token | None = None) -> None:
    """ModelNotAllowed if the member's role may not use the model, or the token does not know it."""
    if token and token.models and model not in token.models:
        raise ModelNotForToken(model)
    rule = _rule.first(team=member.team_id, model=model)
    if rule is not None and member.role not in rule.roles:
        raise ModelNotAllowed(model)


def check_cap(token: Token | None, amount: int) -> None:
    """TokenCapReached if so much more would pass the token's cap. Asked under its member's wallet's lock."""
    if token is None or token.cap is None:
        return
    left = max(0, token.cap - spent_by([token]).get(token.pk, 0))
    if amount > left:
        raise TokenCapReached(cap=token.cap, left=left)


def spent_by(tokens: list[Token]) -> dict[int, int]:
    """What each has spent and holds now, in hundredths, by its number; one query."""
    rows = Generation.objects.filter(token__in=tokens).exclude(status__in=FREE)
    return dict(rows.order_by().values("token").annotate(all=Sum("price")).values_list("token", "all"))
