"""Pages for operators: the installation's credits, and issuing more of them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from generations.core import request_params
from generations.credits import ledger
from generations.credits.amounts import in_credits
from generations.office.audit_log import service as audit_log_service
from generations.office.credits import service as credits_service
from generations.office.credits.forms import IssueForm
from generations.office.installation import pools as installation_pools
from generations.teams.models import Team
from generations.teams.permissions import last_membership, operator_required


@require_safe
@never_cache
@operator_required
def page(request: HttpRequest) -> HttpResponse:
    """Show all pools, the providers' balances, and the comparison with the invoice."""
    number, words = request_params.page_number(request), request.GET.get("q", "")[:200]
    pools, has_more = installation_pools.pool_page(number, words)
    totals, accounts = installation_pools.totals(), installation_pools.provider_accounts()
    context = {
        "member": last_membership(request.user),
        "totals": totals,
        "pools": pools,
        "page": number,
        "words": words,
        "has_more": has_more,
        "accounts": accounts,
        "is_covered": installation_pools.is_covered(accounts, totals.outstanding),
        "comparison": installation_pools.compare_invoice(),
    }
    return render(request, "office/installation/pools.html", context)


@require_safe
@never_cache
@operator_required
def difference(request: HttpRequest) -> HttpResponse:
    """Return the comparison alone; the overview loads it afterwards, since it is slow."""
    comparison = installation_pools.compare_invoice()
    return render(request, "office/installation/pools.html#difference", {"comparison": comparison})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@operator_required
def issue(request: HttpRequest, team: str) -> HttpResponse:
    """Issue credits to a pool, with a reason."""
    pool_team = get_object_or_404(Team, slug=team, deactivated_at=None)
    form = IssueForm(request.POST or None)
    if form.is_valid():
        try:
            credits_service.issue(team=pool_team, by=audit_log_service.actor_of(request), **form.cleaned_data)
        except ledger.LedgerError as problem:
            form.add_error(None, str(problem))
        else:
            message = _("%(team)s has %(credits)s more.")
            messages.success(
                request, message % {"credits": in_credits(form.cleaned_data["amount"]), "team": pool_team}
            )
            return redirect("installation:page")
    context = {"member": last_membership(request.user), "team": pool_team, "form": form}
    return render(request, "office/installation/issue.html", context, status=422 if form.is_bound else 200)
