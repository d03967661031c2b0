"""The operators' queue page: the state of the whole installation, and what operators may do to the queue."""

from __future__ import annotations

import uuid
from urllib.parse import parse_qs, urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from generations.jobs import events
from generations.jobs.engine import operator_actions
from generations.jobs.monitoring import alerts
from generations.jobs.monitoring import health as monitoring_health
from generations.jobs.queue import dashboard
from generations.teams import actor as teams_actor
from generations.teams.models import Membership
from generations.teams.permissions import last_membership, operator_required
from generations.upstreams.models import Upstream


@require_safe
@never_cache
@gzip_page
@operator_required
def page(request: HttpRequest) -> HttpResponse:
    """The whole page, or for htmx the part that reloads itself."""
    return _page(request)


@require_POST
@operator_required
def pause(request: HttpRequest, upstream: int) -> HttpResponse:
    """Pause one account."""
    row = _upstream(upstream)
    operator_actions.pause(Upstream.objects.filter(pk=row.pk), by=teams_actor.actor_of(request))
    return _done(request, _("%(name)s is paused.") % {"name": row})


@require_POST
@operator_required
def drain(request: HttpRequest, upstream: int) -> HttpResponse:
    """Drain one account: running calls are finished, no new ones are started."""
    row = _upstream(upstream)
    operator_actions.drain(Upstream.objects.filter(pk=row.pk), by=teams_actor.actor_of(request))
    return _done(request, _("%(name)s finishes what runs and starts nothing.") % {"name": row})


@require_POST
@operator_required
def resume(request: HttpRequest, upstream: int) -> HttpResponse:
    """End the pause or draining of one account."""
    row = _upstream(upstream)
    operator_actions.reopen(Upstream.objects.filter(pk=row.pk), by=teams_actor.actor_of(request))
    return _done(request, _("%(name)s is called again.") % {"name": row})


@require_POST
@operator_required
def pause_all(request: HttpRequest) -> HttpResponse:
    """Pause every account."""
    operator_actions.pause(Upstream.objects.all(), by=teams_actor.actor_of(request))
    return _done(request, _("Everything is paused. What runs is finished."))


@require_POST
@operator_required
def resume_all(request: HttpRequest) -> HttpResponse:
    """End all pauses and draining."""
    operator_actions.reopen(Upstream.objects.all(), by=teams_actor.actor_of(request))
    return _done(request, _("Every account is called again."))


@require_POST
@operator_required
def serve(request: HttpRequest, member: int, *, first: bool) -> HttpResponse:
    """Serve a member's waiting generations before all others, or in turn again."""
    row = get_object_or_404(Membership, pk=member)
    count = operator_actions.serve(row, first=first, by=teams_actor.actor_of(request))
    if first:
        sentence = ngettext(
            "%(count)s of %(name)s is served first.", "%(count)s of %(name)s are served first.", count
        )
    else:
        sentence = ngettext(
            "%(count)s of %(name)s is served in turn.", "%(count)s of %(name)s are served in turn.", count
        )
    return _done(request, sentence % {"count": count, "name": row})


@require_POST
@operator_required
def set_weight(request: HttpRequest, member: int) -> HttpResponse:
    """Set a member's weight: the share of slots compared with others."""
    row = get_object_or_404(Membership, pk=member)
    text = request.POST.get("weight", "")
    try:
        weight = int(text) if text.isascii() and len(text) < 9 else 0
        operator_actions.set_weight(row, weight, by=teams_actor.actor_of(request))
    except ValueError:
        return _refused(request, str(operator_actions.InvalidWeight()))
    return _done(request, _("%(name)s has the weight %(weight)s.") % {"name": row, "weight": weight})


@require_POST
@operator_required
def give_up(request: HttpRequest, generation: uuid.UUID) -> HttpResponse:
    """Fail a generation whose image is lost; it is not charged."""
    if operator_actions.give_up(generation, by=teams_actor.actor_of(request)):
        return _done(request, _("Given up, not charged."))
    return _refused(request, _("A worker is still storing that picture, so it was not given up."))


def _upstream(pk: int) -> Upstream:
    return get_object_or_404(Upstream, pk=pk, enabled=True)


def _page(request: HttpRequest) -> HttpResponse:
    health = monitoring_health.check()
    context = {
        "member": last_membership(request.user),
        "queue": dashboard.read(),
        "health": health,
        "alerts": alerts.of_installation(health),
        "since": events.newest_id(),
        "weights": range(1, operator_actions.MAX_WEIGHT + 1),
        "as_table": _asks_for_table(request),
    }
    part = "#now" if request.headers.get("HX-Request") else ""
    return render(request, f"jobs/queue/page.html{part}", context)


def _asks_for_table(request: HttpRequest) -> bool:
    """Whether `calls=table` is in the address of this request, or of the page that htmx reloads for."""
    if "calls" in request.GET:
        return request.GET["calls"] == "table"
    return parse_qs(urlsplit(request.headers.get("HX-Current-URL", "")).query).get("calls") == ["table"]


def _done(request: HttpRequest, sentence: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return trigger_client_event(_page(request), "portal:notice", {"value": sentence})
    messages.success(request, sentence)
    return redirect("queue:page")


def _refused(request: HttpRequest, sentence: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return trigger_client_event(_page(request), "portal:notice", {"value": sentence})
    messages.error(request, sentence)
    return redirect("queue:page")
