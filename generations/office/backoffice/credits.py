"""The back office: issuing credits, correcting accounts, setting prices; each with its entry of the log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from generations.credits import ledger
from generations.credits.admin import AccountAdmin as ReadableAccountAdmin
from generations.credits.admin import IssueForm
from generations.credits.amounts import as_text
from generations.credits.models import Account, AccountKind
from generations.jobs.admin import PriceAdmin as ReadablePriceAdmin
from generations.jobs.admin import PriceForm as AnyPriceForm
from generations.jobs.models import Price
from generations.office.audit_log import service as audit_log_service
from generations.office.credits import service as credits_service
from generations.office.credits.forms import AccountAdjustmentForm
from generations.office.members import service as members_service
from generations.office.prices import forms as prices_forms
from generations.office.prices import service as prices_service

admin.site.unregister(Account)
admin.site.unregister(Price)


@admin.register(Account)
class AccountAdmin(ReadableAccountAdmin):
    """The accounts to read, and the two ways in which operators change one."""

    change_form_template = "admin/credits/account/detail.html"

    def get_urls(self) -> list[URLPattern]:
        """Two more pages: issuing credits to a pool, correcting a pool or a wallet."""
        guard = self.admin_site.admin_view
        more = [
            path("<int:pool>/issue/", guard(self.issue), name="credits_account_issue"),
            path("<int:account>/correct/", guard(self.correct), name="credits_account_correct"),
        ]
        return [*more, *super().get_urls()]

    def issue(self, request: HttpRequest, pool: int) -> HttpResponse:
        """New credits for a team's pool; sent twice, the form issues once."""
        account = self._found(pool, AccountKind.POOL)
        form = IssueForm(request.POST or None)
        if form.is_valid() and account.team:
            amount, reference, note = (form.cleaned_data[name] for name in ("amount", "reference", "reason"))
            try:
                members_service.issue(
                    team=account.team,
                    amount=amount,
                    reference=reference,
                    by=audit_log_service.by(request),
                    note=note,
                )
            except ledger.LedgerError as problem:
                form.add_error(None, str(problem))
            else:
                done = _("%(credits)s credits were issued to %(team)s.")
                messages.success(request, done % {"credits": as_text(amount), "team": account.team})
                return redirect("admin:credits_account_change", pool)
        return self._page(request, account, form, _("Issue credits"))

    def correct(self, request: HttpRequest, account: int) -> HttpResponse:
        """A correction of a pool from outside, or of a wallet from its pool; sent twice, it is made once."""
        found = self._found(account, AccountKind.POOL, AccountKind.WALLET)
        form = AccountAdjustmentForm(request.POST or None)
        if form.is_valid():
            said = {"reference": form.cleaned_data["reference"], "note": form.cleaned_data["note"]}
            said |= {"amount": form.signed, "by": audit_log_service.by(request)}
            try:
                if found.membership:
                    credits_service.adjust_wallet(member=found.membership, **said)
                elif found.team:
                    credits_service.adjust_pool(team=found.team, **said)
            except ledger.LedgerError as problem:
                form.add_error(None, str(problem))
            else:
                messages.success(request, _("The account is corrected."))
                return redirect("admin:credits_account_change", account)
        return self._page(request, found, form, _("Correct the account"))

    def _found(self, pk: int, *kinds: AccountKind) -> Account:
        rows = Account.objects.select_related("team", "membership__team", "membership__user")
        account = rows.filter(pk=pk, kind__in=kinds).first()
        if account is None:
            raise Http404
        return account

    def _page(self, request: HttpRequest, account: Account, form: Any, title: str) -> HttpResponse:
        context = self.admin_site.each_context(request)
        context |= {"form": form, "account": account, "opts": self.opts, "act": title}
        return render(request, "admin/credits/account/issue.html", context)


class PriceForm(AnyPriceForm):
    def clean_valid_from(self) -> datetime:
        """A moment that can be read again."""
        return prices_forms.check_year(self.cleaned_data["valid_from"])


@admin.register(Price)
class PriceAdmin(ReadablePriceAdmin):
    """A price is set by the verb, so it never begins in the past, and the log has it."""

    form = PriceForm

    def save_model(self, request: HttpRequest, obj: Price, form: Any, change: bool) -> None:
        """Set the price that was filled in; the row may be one that says the same already."""
        set_one = prices_service.set_price(
            model=obj.model,
            amount=obj.amount,
            team=obj.team,
            valid_from=obj.valid_from,
            by=audit_log_service.by(request),
        )
        obj.pk, obj.valid_from = set_one.pk, set_one.valid_from
        obj._state.adding = False
