"""The operators' pages of reconciliation: days, and the pictures behind a day's difference."""

from __future__ import annotations

from datetime import date, timedelta

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from generations.jobs.reconciliation import calls as reconciliation_calls
from generations.jobs.reconciliation import report as reconciliation_report
from generations.teams.permissions import last_membership, operator_required
from generations.upstreams.models import Upstream

MAX_PERIOD = timedelta(days=366)
WEEK = timedelta(days=6)  # before today


class PeriodForm(forms.Form):
    """The first and the last day."""

    since = forms.DateField(label=gettext_lazy("From"), widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=gettext_lazy("to"), widget=forms.DateInput(attrs={"type": "date"}))

    def clean(self) -> None:
        """Refuse a period that ends before it begins, or is longer than a year."""
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since > until:
            raise forms.ValidationError(_("The first day must not be after the last."))
        if since and until and until - since > MAX_PERIOD:
            raise forms.ValidationError(_("Choose a year at most."))
        if any(day and not date(2000, 1, 1) <= day < date(3000, 1, 1) for day in (since, until)):
            raise forms.ValidationError(_("Choose a day between 2000 and 2999."))


@require_safe
@never_cache
@operator_required
def days(request: HttpRequest) -> HttpResponse:
    """Show by day and account what was bought, charged, and why they differ; the last week by default."""
    today = timezone.localdate()
    week = {"since": today - WEEK, "until": today}
    form = PeriodForm({name: request.GET.get(name) or f"{day:%Y-%m-%d}" for name, day in week.items()})
    report = reconciliation_report.reconcile(**form.cleaned_data) if form.is_valid() else None
    context = {"member": last_membership(request.user), "form": form, "report": report}
    status = 200 if report else 422
    return render(request, "office/reconciliation/days.html", context, status=status)


@require_safe
@never_cache
@operator_required
def day(request: HttpRequest, day: str) -> HttpResponse:
    """List the calls that were bought and not charged, perhaps bought, or refunded, of one day."""
    text = request.GET.get("account", "")
    is_number = text.isascii() and text.isdecimal() and len(text) < 9
    upstream = get_object_or_404(Upstream, pk=int(text)) if is_number else None
    shown = _date(day)
    context = {
        "member": last_membership(request.user),
        "day": shown,
        "upstream": upstream,
        "calls": reconciliation_calls.behind(shown, upstream),
        "most": reconciliation_calls.MAX_CALLS,
    }
    return render(request, "office/reconciliation/day.html", context)


def _date(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise Http404 from None
    if not 2000 <= found.year < 3000:
        raise Http404
    return found
