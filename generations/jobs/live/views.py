"""The tiles of the stream: one or a batch as they are now; cancel, retry, undo."""

from __future__ import annotations

import json
import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from generations.core import request_params
from generations.credits import ledger
from generations.jobs import model_access, pricing, retries, submission
from generations.jobs.engine import half_done as engine_half_done
from generations.jobs.live import feed
from generations.jobs.live import render as live_render
from generations.jobs.models import Batch, Generation, Status
from generations.library.delivery import responses
from generations.library.imaging.decode import DecodingBusy
from generations.library.storage.client import StorageUnavailable
from generations.teams.models import Membership
from generations.teams.permissions import member_required

# Why nothing was queued, in a sentence for the member.
REFUSALS = (
    ledger.CapReached,
    ledger.InsufficientCredits,
    ledger.MembershipEnded,
    pricing.PriceRose,
    model_access.ModelNotAllowed,
    model_access.TokenCapReached,
    submission.NoUpstream,
    StorageUnavailable,
    DecodingBusy,
)


@require_GET
@never_cache
@member_required()
def tile(request: HttpRequest, member: Membership, generation: uuid.UUID) -> HttpResponse:
    """The current tile of one of the member's generations."""
    return _tile(request, member, _mine(member, generation))


@require_GET
@member_required(may="generate")
def half_done(request: HttpRequest, member: Membership, generation: uuid.UUID) -> HttpResponse:
    """The newest half-done picture of one of the member's generations, as long as it is under way.

    Not for viewers, who see only finished pictures that are the team's.
    """
    row = _mine(member, generation)
    picture = engine_half_done.read(row.pk) if row.status == Status.SUBMITTED else None
    if picture is None:
        raise Http404
    return responses.thumbnail(picture)


@require_GET
@never_cache
@member_required()
def batch(request: HttpRequest, member: Membership, batch: uuid.UUID) -> HttpResponse:
    """One of the member's batches as it is now."""
    return _batch(request, member, batch)


@require_POST
@member_required()
def stream_size(request: HttpRequest, member: Membership) -> HttpResponse:
    """Remember for the person how large the pictures of the stream are."""
    size = request.POST.get("size", "")
    if member.user is None or size not in {feed.SMALL, feed.LARGE}:
        raise Http404
    member.user.preferences["stream"] = {"size": size}
    member.user.save(update_fields=["preferences"])
    return redirect("jobs:create", member.team.slug)


@require_POST
@member_required(may="generate")
def cancel(request: HttpRequest, member: Membership, generation: uuid.UUID) -> HttpResponse:
    """Cancel a waiting generation of the member; one that no longer waits stays as it is."""
    row = _mine(member, generation)
    submission.cancel(member=member, generation=row.pk)
    return _updated(request, member, _mine(member, generation))


@require_POST
@member_required(may="generate")
def cancel_all(request: HttpRequest, member: Membership) -> HttpResponse:
    """Cancel all waiting generations of the member, and offer to undo it; open pages reload their tiles."""
    canceled = submission.cancel_all(member=member)
    text = ngettext("%(count)s canceled, not charged.", "%(count)s canceled, not charged.", canceled.count)
    return _done(request, member, text % {"count": canceled.count}, canceled)


@require_POST
@member_required(may="generate")
def undo_cancel(request: HttpRequest, member: Membership) -> HttpResponse:
    """Queue again what was canceled at `canceled_at`; open pages reload their tiles."""
    moment = request_params.moment(request.POST.get("canceled_at", ""))
    if moment is None:
        raise Http404
    try:
        count = retries.undo_cancel(member=member, canceled_at=moment)
    except (*REFUSALS, retries.TooLateToUndo) as problem:
        return _not_done(request, member, str(problem))
    text = ngettext("%(count)s waits again.", "%(count)s wait again.", count)
    return _done(request, member, text % {"count": count})


@require_POST
@member_required(may="generate")
def retry(request: HttpRequest, member: Membership, generation: uuid.UUID) -> HttpResponse:
    """Retry a generation of the member that ended without an image."""
    row = _mine(member, generation)
    try:
        row = retries.retry(member=member, generation=row.pk)
    except Generation.DoesNotExist:
        raise Http404 from None
    except REFUSALS as problem:
        return _not_done(request, member, str(problem))
    return _updated(request, member, _mine(member, row.pk))


@require_POST
@member_required(may="generate")
def retry_ended(request: HttpRequest, member: Membership, batch: uuid.UUID) -> HttpResponse:
    """Retry those generations of a batch that the form names and that ended without an image, all or none."""
    named = [request_params.uuid_or_404(text) for text in request.POST.getlist("generation")]
    mine = member.generations.filter(batch=batch, pk__in=named).values_list("pk", flat=True)
    try:
        made = retries.retry_all(member=member, generations=list(mine))
    except REFUSALS as problem:
        return _not_done(request, member, str(problem))
    if not made:
        raise Http404
    if not request.headers.get("HX-Request"):
        return redirect("jobs:create", member.team.slug)
    member.wallet.refresh_from_db()
    return _batch(request, member, batch, with_balance=True)


def _mine(member: Membership, pk: uuid.UUID) -> Generation:
    return get_object_or_404(member.generations.select_related("batch__start_image"), pk=pk)


def _updated(request: HttpRequest, member: Membership, row: Generation) -> HttpResponse:
    """The tile after a change, and the balance if the page shows it; without htmx, a redirect to Create."""
    if not request.headers.get("HX-Request"):
        return redirect("jobs:create", member.team.slug)
    member.wallet.refresh_from_db()
    # The page of one generation has no bar: htmx says in the console what has no place on the page.
    on_its_page = reverse("jobs:generation", args=[member.team.slug, row.pk])
    with_balance = on_its_page not in request.headers.get("HX-Current-URL", "")
    return _tile(request, member, row, with_balance=with_balance)


def _tile(
    request: HttpRequest, member: Membership, row: Generation, *, with_balance: bool = False
) -> HttpResponse:
    context = live_render.tile_context(row) | {"member": member, "with_balance": with_balance}
    return render(request, "jobs/live/tile.html", context)


def _batch(
    request: HttpRequest, member: Membership, pk: uuid.UUID, *, with_balance: bool = False
) -> HttpResponse:
    row: Batch = get_object_or_404(feed.batches().filter(member=member), pk=pk)
    [entry] = feed.entries_of(member, [row])
    context = {"member": member, "batch": row, "tiles": entry.tiles, "with_balance": with_balance}
    return render(request, "jobs/live/batch.html", context)


def _done(
    request: HttpRequest, member: Membership, sentence: str, canceled: submission.Canceled | None = None
) -> HttpResponse:
    """What was done to all that waits, with the balance and, for what was canceled, a way to undo it."""
    if not request.headers.get("HX-Request"):
        messages.success(request, sentence)
        return redirect("jobs:create", member.team.slug)
    member.wallet.refresh_from_db()
    context = {"member": member, "sentence": sentence, "canceled": canceled}
    response = render(request, "jobs/live/canceled.html", context)
    return trigger_client_event(response, "portal:canceled", {})


def _not_done(request: HttpRequest, member: Membership, sentence: str) -> HttpResponse:
    """Say why nothing was done."""
    if not request.headers.get("HX-Request"):
        messages.error(request, sentence)
        return redirect("jobs:create", member.team.slug)
    trigger = json.dumps({"portal:notice": sentence})  # escaped to ASCII, as a header must be
    return HttpResponse(status=204, headers={"HX-Trigger": trigger})
