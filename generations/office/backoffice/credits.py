"""The back office: issuing credits, adjusting accounts and setting prices, each with its audit entry."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from generations.credits import ledger
from generations.credits.admin import AccountAdmin as ReadOnlyAccountAdmin
from generations.credits.amounts import in_credits
from generations.credits.models import Account, AccountKind
from generations.jobs.admin import PriceAdmin as JobsPriceAdmin
from generations.jobs.admin import PriceForm as JobsPriceForm
from generations.jobs.models import Price
from generations.office.audit_log import service as audit_log_service
from generations.office.credits import service as credits_service
from generations.office.credits.forms import AccountAdjustmentForm, IssueForm
from generations.office.prices import forms as prices_forms
from generations.office.prices import service as prices_service

admin.site.unregister(Account)
admin.site.unregister(Price)


@admin.register(Account)
class AccountAdmin(ReadOnlyAccountAdmin):
    """The read-only accounts, with pages to issue credits and to adjust an account."""

    change_form_template = "admin/credits/account/detail.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that issue credits to a pool, and that adjust a pool or a wallet."""
        admin_view = self.admin_site.admin_view
        urls = [
            path("<int:pool>/issue/", admin_view(self.issue), name="credits_account_issue"),
            path("<int:account>/correct/", admin_view(self.adjust), name="credits_account_correct"),
        ]
        return [*urls, *super().get_urls()]

    def issue(self, request: HttpRequest, pool: int) -> HttpResponse:
        """Issue credits to a team's pool, once for each form."""
        account = self._get_account(pool, AccountKind.POOL)
        form = IssueForm(request.POST or None)
        if form.is_valid() and account.team:
            try:
                credits_service.issue(
                    team=account.team, by=audit_log_service.actor_of(request), **form.cleaned_data
                )
            except ledger.LedgerError as problem:
                form.add_error(None, str(problem))
            else:
                values = {"credits": in_credits(form.cleaned_data["amount"]), "team": account.team}
                messages.success(request, _("Issued %(credits)s to %(team)s.") % values)
                return redirect("admin:credits_account_change", pool)
        return self._page(request, account, form, _("Issue credits"))

    def adjust(self, request: HttpRequest, account: int) -> HttpResponse:
        """Adjust a pool from outside, or a wallet from its pool, once for each form."""
        row = self._get_account(account, AccountKind.POOL, AccountKind.WALLET)
        form = AccountAdjustmentForm(request.POST or None)
        if form.is_valid():
            values = {"reference": form.cleaned_data["reference"], "note": form.cleaned_data["note"]}
            values |= {"amount": form.signed_amount, "by": audit_log_service.actor_of(request)}
            try:
                if row.membership:
                    credits_service.adjust_wallet(member=row.membership, **values)
                elif row.team:
                    credits_service.adjust_pool(team=row.team, **values)
            except ledger.LedgerError as problem:
                form.add_error(None, str(problem))
            else:
                messages.success(request, _("The account is corrected."))
                return redirect("admin:credits_account_change", account)
        return self._page(request, row, form, _("Correct the account"))

    def _get_account(self, pk: int, *kinds: AccountKind) -> Account:
        rows = Account.objects.select_related("team", "membership__team", "membership__user")
        account = rows.filter(pk=pk, kind__in=kinds).first()
        if account is None:
            raise Http404
        return account

    def _page(self, request: HttpRequest, account: Account, form: Any, title: str) -> HttpResponse:
        context = self.admin_site.each_context(request)
        context |= {"form": form, "account": account, "opts": self.opts, "action_title": title}
        return render(request, "admin/credits/account/issue.html", context)


class PriceForm(JobsPriceForm):
    def clean_valid_from(self) -> datetime:
        """Check the year."""
        return prices_forms.check_year(self.cleaned_data["valid_from"])


@admin.register(Price)
class PriceAdmin(JobsPriceAdmin):
    """Sets prices by the service, so that none begins in the past and each has an audit entry."""

    form = PriceForm

    def save_model(self, request: HttpRequest, obj: Price, form: Any, change: bool) -> None:
        """Set the price; the row may be an earlier one with the same amount."""
        price = prices_service.set_price(
            model=obj.model,
            amount=obj.amount,
            team=obj.team,
            valid_from=obj.valid_from,
            by=audit_log_service.actor_of(request),
        )
        obj.pk, obj.valid_from = price.pk, price.valid_from
        obj._state.adding = False
