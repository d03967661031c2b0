"""The page of prices, and of the roles that may use each model."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from generations.credits.amounts import in_credits
from generations.jobs.models import Price
from generations.office.audit_log import service as audit_log_service
from generations.office.prices import service as prices_service
from generations.office.prices import table as prices_table
from generations.office.prices.forms import ModelRuleForm, PriceForm
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Membership
from generations.teams.permissions import member_required


@require_safe
@never_cache
@member_required(may="see_spending")
def page(request: HttpRequest, member: Membership) -> HttpResponse:
    """Show each model with its present and future prices, and the roles that may use it."""
    return _render(request, member)


@require_POST
@member_required(may="see_spending")
def set_price(request: HttpRequest, member: Membership) -> HttpResponse:
    """Set the price of a model, for this team or for all. For operators only."""
    _require_operator(request)
    form = PriceForm(request.POST, time_zone=member.team.time_zone)
    if not form.is_valid():
        return _render(request, member, price_form=form)
    data = form.cleaned_data
    price = prices_service.set_price(
        model=data["model"],
        amount=data["amount"],
        team=member.team if data["scope"] == "team" else None,
        valid_from=data["begins_at"],
        by=audit_log_service.actor_of(request),
    )
    values = {"model": catalogue_registry.get(price.model).title, "credits": in_credits(price.amount)}
    messages.success(request, _("The price of %(model)s is set to %(credits)s.") % values)
    return redirect("office:prices", member.team.slug)


@require_POST
@member_required(may="see_spending")
def withdraw_price(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """Withdraw a future price. For operators only."""
    _require_operator(request)
    price = get_object_or_404(Price.objects.for_team(member.team), pk=pk)
    try:
        prices_service.withdraw_price(price=price, by=audit_log_service.actor_of(request))
    except prices_service.PriceInForce as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, _("The future price is withdrawn."))
    return redirect("office:prices", member.team.slug)


@require_POST
@member_required(may="manage_members")
def set_rule(request: HttpRequest, member: Membership, model: str) -> HttpResponse:
    """Set which roles of this team may use a model."""
    if model not in catalogue_registry.MODELS:
        raise Http404
    form = ModelRuleForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose from the roles of this page."))
        return redirect("office:prices", member.team.slug)
    prices_service.set_rule(
        team=member.team,
        model=model,
        roles=form.cleaned_data["roles"],
        by=audit_log_service.actor_of(request),
    )
    message = _("Who may use %(model)s is set.") % {"model": catalogue_registry.get(model).title}
    messages.success(request, message)
    return redirect("office:prices", member.team.slug)


def _require_operator(request: HttpRequest) -> None:
    if not getattr(request.user, "is_staff", False):
        raise PermissionDenied(_("Only operators set prices."))


def _render(request: HttpRequest, member: Membership, **forms: Any) -> HttpResponse:
    context = {
        "member": member,
        "rows": prices_table.price_table(member.team),
        "price_form": PriceForm(time_zone=member.team.time_zone),
    }
    return render(request, "office/prices/page.html", context | forms, status=422 if forms else 200)
