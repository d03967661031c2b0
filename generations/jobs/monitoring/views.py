"""Readiness and metrics."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from generations.jobs.monitoring import metrics, readiness


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
