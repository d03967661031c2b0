"""Setting what pictures cost, and which roles may use which model."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.jobs.models import ModelRule, Price
from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import By
from generations.office.models import AuditAction
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Role, Team
from generations.teams.permissions import PERMISSIONS

# A price begins a moment after it is written: whoever read the list before it was committed was shown the
# price that held at the moment that their form names.
SOON = timedelta(seconds=1)


class PriceInForce(Exception):
    """A price that holds or held stays as it is."""

    def __init__(self) -> None:
        super().__init__(_("This price holds already. Set another one instead."))


@transaction.atomic
def set_price(
    *, model: str, amount: int, team: Team | None = None, valid_from: datetime | None = None, by: By
) -> Price:
    """One image of the model costs so many hundredths from then on, in one team or, with none, everywhere.

    Never from a moment that has passed: what was shown then would have been wrong. What holds or is
    planned already is not written down again. UnknownModel for a model that nobody declared.
    """
    catalogue_registry.get(model)
    soon = timezone.now() + SOON
    begins = max(valid_from or soon, soon)
    rows = Price.objects.select_for_update().filter(model=model, team=team, valid_from__lte=begins)
    before = rows.order_by("-valid_from", "-pk").first()
    if before and before.amount == amount:
        return before
    price = Price.objects.create(model=model, team=team, amount=amount, valid_from=begins)
    was = {"amount": before.amount if before else catalogue_registry.get(model).cost({})}
    after = {"amount": amount, "valid_from": begins.isoformat()}
    audit_log_service.record(by, AuditAction.PRICE_SET, team=team, subject=model, before=was, after=after)
    return price


@transaction.atomic
def withdraw(*, price: Price, by: By) -> None:
    """Take back a price that was to come; PriceInForce if it holds already."""
    if not Price.objects.filter(pk=price.pk, valid_from__gt=timezone.now() + SOON).delete()[0]:
        raise PriceInForce
    before = {"amount": price.amount, "valid_from": price.valid_from.isoformat()}
    audit_log_service.record(
        by, AuditAction.PRICE_SET, team=price.team, subject=price.model, before=before, after={"amount": None}
    )


@transaction.atomic
def set_rule(*, team: Team, model: str, roles: Collection[Role], by: By) -> bool:
    """Let these roles of the team use the model, and no other; False if it was so already.

    Roles that may not generate are left out; without a rule all that may do.
    """
    catalogue_registry.get(model)
    makers = [role.value for role in Role if role in PERMISSIONS["generate"]]
    wanted = [role for role in makers if role in roles]
    rule = ModelRule.objects.select_for_update().filter(team=team, model=model).first()
    before = rule.roles if rule else makers
    if wanted == before:
        return False
    if wanted == makers:
        ModelRule.objects.filter(team=team, model=model).delete()
    else:
        ModelRule.objects.update_or_create(team=team, model=model, defaults={"roles": wanted})
    audit_log_service.record(
        by,
        AuditAction.MODEL_RULE_SET,
        team=team,
        subject=model,
        before={"roles": before},
        after={"roles": wanted},
    )
    return True
