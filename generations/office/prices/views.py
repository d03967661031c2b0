"""What pictures cost, what they will cost, and who may ask for which."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from generations.credits.amounts import as_text
from generations.jobs.models import Price
from generations.office.audit_log import service as audit_log_service
from generations.office.prices import service as prices_service
from generations.office.prices import table as prices_table
from generations.office.prices.forms import PriceForm, RuleForm
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Membership
from generations.teams.permissions import member_required


@require_safe
@never_cache
@member_required(may="spend_see")
def page(request: HttpRequest, member: Membership) -> HttpResponse:
    """Every model with its price now and to come, and the roles that may use it."""
    return _page(request, member)


@require_POST
@member_required(may="spend_see")
def set_price(request: HttpRequest, member: Membership) -> HttpResponse:
    """Set what a model costs, everywhere or in this team; only operators may."""
    _must_be_operator(request)
    form = PriceForm(request.POST, team=member.team)
    if not form.is_valid():
        return _page(request, member, price_form=form)
    said = form.cleaned_data
    price = prices_service.set_price(
        model=said["model"],
        amount=said["amount"],
        team=member.team if said["scope"] == "team" else None,
        valid_from=said["begins_at"],
        by=audit_log_service.by(request),
    )
    words = {"model": catalogue_registry.get(price.model).title, "credits": as_text(price.amount)}
    messages.success(request, _("The price of %(model)s is set to %(credits)s credits.") % words)
    return redirect("office:prices", member.team.slug)


@require_POST
@member_required(may="spend_see")
def withdraw_price(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """Take back a price that was to come; only operators may."""
    _must_be_operator(request)
    price = get_object_or_404(Price.objects.for_team(member.team), pk=pk)
    try:
        prices_service.withdraw(price=price, by=audit_log_service.by(request))
    except prices_service.PriceInForce as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, _("The price that was to come is taken back."))
    return redirect("office:prices", member.team.slug)


@require_POST
@member_required(may="manage_members")
def set_rule(request: HttpRequest, member: Membership, model: str) -> HttpResponse:
    """Say which roles of this team may use a model."""
    if model not in catalogue_registry.MODELS:
        raise Http404
    form = RuleForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose from the roles of this page."))
        return redirect("office:prices", member.team.slug)
    prices_service.set_rule(
        team=member.team, model=model, roles=form.cleaned_data["roles"], by=audit_log_service.by(request)
    )
    said = _("Who may use %(model)s is set.") % {"model": catalogue_registry.get(model).title}
    messages.success(request, said)
    return redirect("office:prices", member.team.slug)


def _must_be_operator(request: HttpRequest) -> None:
    if not getattr(request.user, "is_staff", False):
        raise PermissionDenied(_("Only operators set prices."))


def _page(request: HttpRequest, member: Membership, **forms: Any) -> HttpResponse:
    context = {
        "member": member,
        "rows": prices_table.read(member.team),
        "price_form": PriceForm(team=member.team),
    }
    return render(request, "office/prices/page.html", context | forms, status=422 if forms else 200)
