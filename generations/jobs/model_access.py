"""Which models a member or an API token may use, and how much a token may spend."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Sum
from django.utils.translation import gettext as _

from generations.core.prepared_queries import Param, PreparedQuery
from generations.credits.amounts import as_text, in_credits
from generations.jobs.models import Generation, ModelRule, Status
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Membership, Team, Token

_rule = PreparedQuery(lambda: ModelRule.objects.filter(team=Param("team"), model=Param("model")))
_rules = PreparedQuery(lambda: ModelRule.objects.filter(team=Param("team")))
UNCHARGED = (Status.FAILED, Status.FILTERED, Status.CANCELED)


class ModelNotAllowed(Exception):
    """The member's role may not use this model in this team."""

    def __init__(self, model: str) -> None:
        super().__init__(
            _("Your role may not use %(model)s in this team. Choose another model, or ask an administrator.")
            % {"model": catalogue_registry.get(model).title}
        )


class ModelNotForToken(ModelNotAllowed):
    """The API token is limited to other models."""

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self.args = (
            _("This API token may not use %(model)s. Choose another model, or make another token.")
            % {"model": catalogue_registry.get(model).title},
        )


class TokenCapReached(Exception):
    """The API token's spending cap does not allow it; `left` and `cap` in hundredths of a credit."""

    def __init__(self, *, cap: int, left: int) -> None:
        self.cap, self.left = cap, left
        super().__init__(
            _("The cap of this API token is %(cap)s in all, and leaves %(left)s.")
            % {"cap": in_credits(cap), "left": as_text(left)}
        )


def rules_of(team: Team) -> Mapping[str, list[str]]:
    """{model: roles that may use it} of the team; other models are for every role that may generate."""
    return {rule.model: rule.roles for rule in _rules.all(team=team.pk)}


def closed_models(member: Membership) -> set[str]:
    """The models that the member's role may not use; one query."""
    return {model for model, roles in rules_of(member.team).items() if member.role not in roles}


def check(member: Membership, model: str, token: Token | None = None) -> None:
    """Raise ModelNotAllowed if the role may not use the model, ModelNotForToken if the token may not."""
    if token and token.models and model not in token.models:
        raise ModelNotForToken(model)
    rule = _rule.first(team=member.team_id, model=model)
    if rule is not None and member.role not in rule.roles:
        raise ModelNotAllowed(model)


def check_cap(token: Token | None, amount: int) -> None:
    """Raise TokenCapReached if `amount` more would exceed the cap. Call it under the wallet's lock."""
    if token is None or token.cap is None:
        return
    left = max(0, token.cap - spent_by([token]).get(token.pk, 0))
    if amount > left:
        raise TokenCapReached(cap=token.cap, left=left)


def spent_by(tokens: list[Token]) -> dict[int, int]:
    """{token id: hundredths charged and held for it}, in one query."""
    rows = Generation.objects.filter(token__in=tokens).exclude(status__in=UNCHARGED)
    return dict(rows.order_by().values("token").annotate(all=Sum("price")).values_list("token", "all"))
