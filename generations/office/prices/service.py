"""Changes of prices, and of the roles that may use a model. Amounts are hundredths of a credit."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.jobs.models import ModelRule, Price
from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import Actor
from generations.office.models import AuditAction
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Role, Team
from generations.teams.permissions import PERMISSIONS

# A price becomes valid a moment after it is written: a page that was rendered before the commit showed the
# price that was valid at the time its form carries.
PRICE_DELAY = timedelta(seconds=1)


class PriceInForce(Exception):
    """A price that is or was valid cannot be withdrawn."""

    def __init__(self) -> None:
        super().__init__(_("This price is valid already. Set another one instead."))


@transaction.atomic
def set_price(
    *, model: str, amount: int, team: Team | None = None, valid_from: datetime | None = None, by: Actor
) -> Price:
    """Set the price of one image of a model from a time on, for one team or, without `team`, for all.

    A time in the past becomes the present, since prices already shown must stay true. If the same amount
    is valid then already, that price is returned. UnknownModel if there is no such model.
    """
    catalogue_registry.get(model)
    earliest = timezone.now() + PRICE_DELAY
    starts_at = max(valid_from or earliest, earliest)
    rows = Price.objects.select_for_update().filter(model=model, team=team, valid_from__lte=starts_at)
    previous = rows.order_by("-valid_from", "-pk").first()
    if previous and previous.amount == amount:
        return previous
    price = Price.objects.create(model=model, team=team, amount=amount, valid_from=starts_at)
    before = {"amount": previous.amount if previous else catalogue_registry.get(model).cost({})}
    after = {"amount": amount, "valid_from": starts_at.isoformat()}
    audit_log_service.record(by, AuditAction.PRICE_SET, team=team, subject=model, before=before, after=after)
    return price


@transaction.atomic
def withdraw_price(*, price: Price, by: Actor) -> None:
    """Delete a future price; PriceInForce if it is valid already."""
    if not Price.objects.filter(pk=price.pk, valid_from__gt=timezone.now() + PRICE_DELAY).delete()[0]:
        raise PriceInForce
    before = {"amount": price.amount, "valid_from": price.valid_from.isoformat()}
    audit_log_service.record(
        by, AuditAction.PRICE_SET, team=price.team, subject=price.model, before=before, after={"amount": None}
    )


@transaction.atomic
def set_rule(*, team: Team, model: str, roles: Collection[Role], by: Actor) -> bool:
    """Allow a model of the team to these roles only; False if nothing changed.

    Roles without the permission to generate are ignored. Allowing all other roles deletes the rule.
    """
    catalogue_registry.get(model)
    generating = [role.value for role in Role if role in PERMISSIONS["generate"]]
    allowed = [role for role in generating if role in roles]
    rule = ModelRule.objects.select_for_update().filter(team=team, model=model).first()
    before = rule.roles if rule else generating
    if allowed == before:
        return False
    if allowed == generating:
        ModelRule.objects.filter(team=team, model=model).delete()
    else:
        ModelRule.objects.update_or_create(team=team, model=model, defaults={"roles": allowed})
    audit_log_service.record(
        by,
        AuditAction.MODEL_RULE_SET,
        team=team,
        subject=model,
        before={"roles": before},
        after={"roles": allowed},
    )
    return True
