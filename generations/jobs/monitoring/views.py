"""Readiness, metrics, and the operators' page of reconciliation."""

from __future__ import annotations

import ipaddress
from datetime import timedelta

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from generations.jobs.monitoring import metrics, readiness
from generations.jobs.reconciliation import report as reconciliation_report

MAX_PERIOD = timedelta(days=366)


class PeriodForm(forms.Form):
    since = forms.DateField(label=_("From"), widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("to"), widget=forms.DateInput(attrs={"type": "date"}))

    def clean(self) -> None:
        """Refuse a period that ends before it begins, or is longer than a year."""
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since > until:
            raise forms.ValidationError(_("The first day must not be after the last."))
        if since and until and until - since > MAX_PERIOD:
            raise forms.ValidationError(_("Choose a year at most."))


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """200 if a generation could be run now, else 503; the result and duration of each check."""
    parts = readiness.portal.parts()
    is_ready = not any(part.problem for part in parts)
    results = {
        part.name: {"ready": not part.problem, "seconds": round(part.seconds, 4)}
        | ({"problem": part.problem} if part.problem else {})
        for part in parts
    }
    return JsonResponse({"ready": is_ready, "parts": results}, status=200 if is_ready else 503)


@require_safe
@never_cache
def metrics_text(request: HttpRequest) -> HttpResponse:
    """Metrics for Prometheus, for local requests and those with METRICS_TOKEN; else 404."""
    if not _may_read(request):
        raise Http404
    return HttpResponse(metrics.text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _may_read(request: HttpRequest) -> bool:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer":
        return constant_time_compare(token.strip(), settings.METRICS_TOKEN)
    return _is_local(request)


def _is_local(request: HttpRequest) -> bool:
    """Whether the request comes from this machine, and not through a proxy on it."""
    if any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


@require_safe
def reconciliation(request: HttpRequest) -> HttpResponse:
    """The reconciliation report, of the last week by default. The admin checks permissions."""
    today = timezone.localdate()
    week = {"since": today - timedelta(days=6), "until": today}
    form = PeriodForm({name: request.GET.get(name) or day for name, day in week.items()})
    report = reconciliation_report.reconcile(**form.cleaned_data) if form.is_valid() else None
    context = admin.site.each_context(request) | {"form": form, "report": report}
    return render(request, "admin/jobs/reconciliation.html", context)
