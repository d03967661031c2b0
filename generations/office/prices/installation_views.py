"""The operators' page of models and prices."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from generations.credits.amounts import in_credits
from generations.jobs.models import Price
from generations.office.audit_log import service as audit_log_service
from generations.office.prices import installation_table
from generations.office.prices import service as prices_service
from generations.office.prices.forms import AnyTeamPriceForm, MarginForm, ProposedPricesForm
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.permissions import last_membership, operator_required


@require_safe
@never_cache
@operator_required
def page(request: HttpRequest) -> HttpResponse:
    """Show each model with its prices, what it costs at each account, and the margin.

    With `margin` in the address prices are proposed that have it, in per cent of the highest cost.
    """
    form = MarginForm(request.GET) if "margin" in request.GET else MarginForm()
    margin = form.cleaned_data["margin"] if form.is_bound and form.is_valid() else None
    return _render(request, margin_form=form, proposals=_proposals(margin))


@require_POST
@operator_required
def set_proposed(request: HttpRequest) -> HttpResponse:
    """Set the prices that were proposed and ticked, for every team, as they were shown."""
    form = ProposedPricesForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(map(str, form.errors["price"])))
        return redirect("operate:prices")
    by = audit_log_service.actor_of(request)
    for model, amount in form.cleaned_data["price"].items():
        prices_service.set_price(model=model, amount=amount, by=by)
    count = len(form.cleaned_data["price"])
    messages.success(request, ngettext("%(n)d price is set.", "%(n)d prices are set.", count) % {"n": count})
    return redirect("operate:prices")


@require_POST
@operator_required
def set_price(request: HttpRequest) -> HttpResponse:
    """Set the price of a model, for every team or for one."""
    form = AnyTeamPriceForm(request.POST, time_zone=_time_zone(request))
    if not form.is_valid():
        return _render(request, price_form=form)
    data = form.cleaned_data
    price = prices_service.set_price(
        model=data["model"],
        amount=data["amount"],
        team=data["team"],
        valid_from=data["begins_at"],
        by=audit_log_service.actor_of(request),
    )
    values = {"model": catalogue_registry.get(price.model).title, "credits": in_credits(price.amount)}
    messages.success(request, _("The price of %(model)s is set to %(credits)s.") % values)
    return redirect("operate:prices")


@require_POST
@operator_required
def withdraw_price(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw a future price."""
    price = get_object_or_404(Price.objects.select_related("team"), pk=pk)
    try:
        prices_service.withdraw_price(price=price, by=audit_log_service.actor_of(request))
    except prices_service.PriceInForce as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, _("The future price is withdrawn."))
    return redirect("operate:prices")


def _time_zone(request: HttpRequest) -> str:
    """The time zone in which the page shows times to the operator."""
    member = last_membership(request.user)
    if member:
        return member.tzinfo.key
    return getattr(request.user, "time_zone", "") or settings.TIME_ZONE


def _proposals(margin: int | None) -> dict[str, int]:
    """{model: the price with this margin}, of models whose price is another; {} without a margin."""
    if margin is None:
        return {}
    proposed = {row.model.name: (row.proposed(margin), row.price) for row in installation_table.rows()}
    return {model: price for model, (price, now) in proposed.items() if price is not None and price != now}


def _render(request: HttpRequest, **more: Any) -> HttpResponse:
    zone = _time_zone(request)
    context: dict[str, Any] = {
        "member": last_membership(request.user),
        "rows": installation_table.rows(),
        "zone": zone,
        "price_form": AnyTeamPriceForm(time_zone=zone),
        "margin_form": MarginForm(),
        "proposals": {},
    }
    status = 422 if "price_form" in more else 200
    return render(request, "office/prices/installation.html", context | more, status=status)
