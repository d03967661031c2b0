"""The operators' queue page: what is under way in the whole installation, and the few switches for it."""

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
from generations.jobs.queue import controls as queue_controls
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
    """The whole page, or what of it changes by itself."""
    return _page(request)


@require_POST
@operator_required
def pause(request: HttpRequest, upstream: int) -> HttpResponse:
    """Call one account no more."""
    row = _upstream(upstream)
    queue_controls.pause(Upstream.objects.filter(pk=row.pk), by=teams_actor.by(request))
    return _done(request, _("%(name)s is paused.") % {"name": row})


@require_POST
@operator_required
def drain(request: HttpRequest, upstream: int) -> HttpResponse:
    """Let one account finish what runs, and start nothing there."""
    row = _upstream(upstream)
    queue_controls.drain(Upstream.objects.filter(pk=row.pk), by=teams_actor.by(request))
    return _done(request, _("%(name)s finishes what runs and starts nothing.") % {"name": row})


@require_POST
@operator_required
def resume(request: HttpRequest, upstream: int) -> HttpResponse:
    """Call one account again."""
    row = _upstream(upstream)
    queue_controls.reopen(Upstream.objects.filter(pk=row.pk), by=teams_actor.by(request))
    return _done(request, _("%(name)s is called again.") % {"name": row})


@require_POST
@operator_required
def pause_all(request: HttpRequest) -> HttpResponse:
    """Call nobody."""
    queue_controls.pause(Upstream.objects.all(), by=teams_actor.by(request))
    return _done(request, _("Everything is paused. What runs is finished."))


@require_POST
@operator_required
def resume_all(request: HttpRequest) -> HttpResponse:
    """Call everybody again."""
    queue_controls.reopen(Upstream.objects.all(), by=teams_actor.by(request))
    return _done(request, _("Every account is called again."))


@require_POST
@operator_required
def serve_first(request: HttpRequest, member: int) -> HttpResponse:
    """Serve what a member has waiting before everybody else's."""
    row = get_object_or_404(Membership, pk=member)
    count = queue_controls.serve(row, first=True, by=teams_actor.by(request))
    said = ngettext(
        "%(count)s of %(name)s is served first.", "%(count)s of %(name)s are served first.", count
    )
    return _done(request, said % {"count": count, "name": row})


@require_POST
@operator_required
def serve_in_turn(request: HttpRequest, member: int) -> HttpResponse:
    """Serve what a member has waiting in turn again."""
    row = get_object_or_404(Membership, pk=member)
    count = queue_controls.serve(row, first=False, by=teams_actor.by(request))
    said = ngettext(
        "%(count)s of %(name)s is served in turn.", "%(count)s of %(name)s are served in turn.", count
    )
    return _done(request, said % {"count": count, "name": row})


@require_POST
@operator_required
def set_weight(request: HttpRequest, member: int) -> HttpResponse:
    """Give a member more or fewer slots for one of the others'."""
    row = get_object_or_404(Membership, pk=member)
    asked = request.POST.get("weight", "")
    try:
        weight = int(asked) if asked.isascii() and len(asked) < 9 else 0
        queue_controls.set_weight(row, weight, by=teams_actor.by(request))
    except ValueError:
        return _refused(request, str(operator_actions.WeightRefused()))
    return _done(request, _("%(name)s has the weight %(weight)s.") % {"name": row, "weight": int(asked)})


@require_POST
@operator_required
def give_up(request: HttpRequest, generation: uuid.UUID) -> HttpResponse:
    """End a picture whose image is lost; it is not charged."""
    if queue_controls.give_up(generation, by=teams_actor.by(request)):
        return _done(request, _("Given up, not charged."))
    return _refused(request, _("That picture is being looked after, so it was not given up."))


def _upstream(pk: int) -> Upstream:
    return get_object_or_404(Upstream, pk=pk, enabled=True)


def _page(request: HttpRequest) -> HttpResponse:
    felt = monitoring_health.feel()
    context = {
        "member": last_membership(request.user),
        "queue": dashboard.read(),
        "pulse": felt,
        "notices": alerts.of_installation(felt),
        "since": events.newest(),
        "weights": range(1, operator_actions.HEAVIEST + 1),
        "as_table": _asks_for_table(request),
    }
    part = "#now" if request.headers.get("HX-Request") else ""
    return render(request, f"jobs/queue/page.html{part}", context)


def _asks_for_table(request: HttpRequest) -> bool:
    """Whether the address says so: of this request, or of the page that asks for its part."""
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
