"""What operators see of the whole installation's credits, and where they issue more."""

from __future__ import annotations

import uuid

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from generations.credits import ledger
from generations.credits.amounts import CreditsField, as_text
from generations.office.audit_log import service as audit_log_service
from generations.office.installation import pools as installation_pools
from generations.office.members import service as members_service
from generations.teams.models import Team
from generations.teams.permissions import last_membership, operator_required


class IssueForm(forms.Form):
    """New credits for a pool; sent twice, they come once."""

    amount = CreditsField(label=gettext_lazy("Credits"))
    note = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=400,
        help_text=gettext_lazy("Stands in the ledger and in the team's changes."),
    )
    reference = forms.UUIDField(widget=forms.HiddenInput)


@require_safe
@never_cache
@operator_required
def page(request: HttpRequest) -> HttpResponse:
    """All pools, the providers' own balances beside them, and what the invoice would say of the last days."""
    asked = request.GET.get("page", "")
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 9 else 1
    rows, more = installation_pools.read(number)
    whole, accounts = installation_pools.whole(), installation_pools.provider_accounts()
    context = {
        "member": last_membership(request.user),
        "whole": whole,
        "pools": rows,
        "page": number,
        "more": more,
        "accounts": accounts,
        "covers": installation_pools.covers(accounts, whole.given_out),
        "invoice": installation_pools.invoice(),
    }
    return render(request, "office/installation/pools.html", context)


@require_safe
@never_cache
@operator_required
def difference(request: HttpRequest) -> HttpResponse:
    """The card that the overview asks for by itself, since it looks at every call of some days."""
    return render(
        request, "office/installation/pools.html#difference", {"invoice": installation_pools.invoice()}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@operator_required
def issue(request: HttpRequest, team: str) -> HttpResponse:
    """Bring credits into a pool, with a reason."""
    row = get_object_or_404(Team, slug=team, deactivated_at=None)
    form = IssueForm(request.POST or None, initial={"reference": uuid.uuid4()})
    if form.is_valid():
        try:
            members_service.issue(team=row, by=audit_log_service.by(request), **form.cleaned_data)
        except ledger.LedgerError as problem:
            form.add_error(None, str(problem))
        else:
            said = _("%(credits)s credits are in the pool of %(team)s.")
            messages.success(request, said % {"credits": as_text(form.cleaned_data["amount"]), "team": row})
            return redirect("installation:page")
    context = {"member": last_membership(request.user), "team": row, "form": form}
    return render(request, "office/installation/issue.html", context, status=422 if form.is_bound else 200)
