"""From HTTP to our words and back: Create, its tiles, and the page of one picture."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from generations.credits import caps, ledger
from generations.jobs import events, model_access, pricing, submission
from generations.jobs.create import detail as create_detail
from generations.jobs.create import prefill as create_prefill
from generations.jobs.create.context import Desk, remember
from generations.jobs.create.forms import GenerationForm
from generations.jobs.live import feed
from generations.jobs.live import render as live_render
from generations.jobs.models import Batch, Generation
from generations.jobs.monitoring.alerts import notices_for
from generations.library.models import Image
from generations.teams.models import Membership
from generations.teams.permissions import may, member_required

REFUSALS = (
    ledger.CapReached,
    ledger.InsufficientCredits,
    ledger.MembershipEnded,
    pricing.PriceRose,
    model_access.ModelNotAllowed,
    submission.NoUpstream,
)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@gzip_page
@member_required()
def create(request: HttpRequest, member: Membership) -> HttpResponse:
    """The form and the stream of my batches; a POST makes a batch, once per submission."""
    if not may(member, "generate"):
        return redirect("library:grid", member.team.slug)  # who only looks, looks there
    if request.method != "POST":
        start = create_prefill.initial(member, request.GET.dict())
        return _page(request, GenerationForm(member=member, initial=start))
    form = GenerationForm(request.POST, request.FILES, member=member)
    if form.is_valid():
        try:
            batch = submission.submit(member=member, **form.submission_fields())
        except REFUSALS as problem:
            form.add_error(None, str(problem))
        else:
            remember(form)
            return _made(request, form, batch)
    return _refused(request, form)


@require_GET
@never_cache
@gzip_page
@member_required()
def batches(request: HttpRequest, member: Membership) -> HttpResponse:
    """A page of the stream by itself (`?before=`), for older batches and for catching up."""
    return render(request, "jobs/live/feed.html", _stream(request, member))


@require_GET
@never_cache
@member_required()
def notices(request: HttpRequest, member: Membership) -> HttpResponse:
    """What must be told above my pictures."""
    return render(request, "jobs/create/notices.html", {"member": member, "notices": notices_for(member)})


@require_GET
@never_cache
@member_required()
def tile(request: HttpRequest, member: Membership, generation: uuid.UUID) -> HttpResponse:
    """One tile of mine as it is now."""
    return _tile(request, member, _mine(member, generation))


@require_GET
@never_cache
@member_required()
def generation(request: HttpRequest, member: Membership, generation: uuid.UUID) -> HttpResponse:
    """The page of one generation of mine, however it went, or of one whose picture I may see."""
    images = Image.objects.visible_to(member).select_related("owner__user").filter(generation=generation)
    return _look(request, member, _of_team(member, generation), images.order_by("position").first())


@require_GET
@never_cache
@member_required()
def picture(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """The page of one picture that I may see; the generation that made it may be gone."""
    visible = Image.objects.visible_to(member).select_related("owner__user")
    found = get_object_or_404(visible, pk=image)
    row = _of_team(member, found.generation) if found.generation else None
    return _look(request, member, row, found)


@require_POST
@member_required(may="generate")
def cancel(request: HttpRequest, member: Membership, generation: uuid.UUID) -> HttpResponse:
    """Cancel one of mine while it waits; what no longer waits stays as it is."""
    row = _mine(member, generation)
    submission.cancel(member=member, generation=row.pk)
    return _after(request, member, _mine(member, generation))


@require_POST
@member_required(may="generate")
def cancel_all(request: HttpRequest, member: Membership) -> HttpResponse:
    """Cancel all of mine that wait; open pages ask again for the tiles that they show."""
    count = submission.cancel_all(member=member)
    said = ngettext("%(count)s canceled, not charged.", "%(count)s canceled, not charged.", count)
    sentence = said % {"count": count}
    if not request.headers.get("HX-Request"):
        messages.success(request, sentence)
        return redirect("jobs:create", member.team.slug)
    member.wallet.refresh_from_db()
    response = render(request, "parts/balance.html", {"member": member, "oob": True})
    return trigger_client_event(response, "portal:canceled", {"value": sentence})


@require_POST
@member_required(may="generate")
def retry(request: HttpRequest, member: Membership, generation: uuid.UUID) -> HttpResponse:
    """Ask for one of mine that ended without a picture once more."""
    row = _mine(member, generation)
    try:
        row = submission.retry(member=member, generation=row.pk)
    except Generation.DoesNotExist:
        raise Http404 from None
    except REFUSALS as problem:
        return _said(request, member, str(problem))
    return _after(request, member, _mine(member, row.pk))


def _mine(member: Membership, pk: uuid.UUID) -> Generation:
    return get_object_or_404(member.generations.select_related("batch__start_image"), pk=pk)


def _of_team(member: Membership, pk: uuid.UUID) -> Generation | None:
    """Anybody's in the team: whoever shows it must see that its picture may be seen."""
    rows = Generation.objects.select_related("batch__start_image", "member__user")
    return rows.filter(team=member.team, pk=pk).first()


def _stream(request: HttpRequest, member: Membership) -> dict[str, Any]:
    before = request.GET.get("before", "")
    try:
        shown, older = feed.page(member, uuid.UUID(before) if before else None)
    except ValueError:
        raise Http404 from None
    return {"member": member, "shown": shown, "older": older, "before": before}


def _page(request: HttpRequest, form: GenerationForm, status: int = 200) -> HttpResponse:
    """The whole of Create. The stream's position is read first, so that no change is missed."""
    since = events.newest()
    context = _stream(request, form.member) | {"form": form, "desk": Desk(form), "since": since}
    context |= {"waiting": feed.waiting(form.member), "notices": notices_for(form.member)}
    return render(request, "jobs/create/page.html", context, status=status)


def _refused(request: HttpRequest, form: GenerationForm) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        return _page(request, form, status=422)
    context = {"form": form, "desk": Desk(form), "member": form.member}
    response = render(request, "jobs/create/form.html", context, status=422)
    return _retargeted(response, "#create-form", "outerHTML")


def _made(request: HttpRequest, form: GenerationForm, batch: Batch) -> HttpResponse:
    """The new batch. The cards stay on the page as they are, so the next form names their moment too."""
    member = form.member
    if not request.headers.get("HX-Request"):
        return redirect("jobs:create", member.team.slug)
    member.wallet.refresh_from_db()
    batch = Batch.objects.select_related("start_image").get(pk=batch.pk)
    entry = feed.shown(member, [batch])[0]
    fresh = GenerationForm(member=member, shown_at=form.cleaned_data["prices_at"])
    context = {"member": member, "entry": entry, "form": fresh, "cap": caps.tightest(member)}
    return render(request, "jobs/create/submitted.html", context)


def _after(request: HttpRequest, member: Membership, row: Generation) -> HttpResponse:
    """The tile and the balance that a press left behind; without a script, the page again."""
    if not request.headers.get("HX-Request"):
        return redirect("jobs:create", member.team.slug)
    member.wallet.refresh_from_db()
    return _tile(request, member, row, with_balance=True)


def _tile(
    request: HttpRequest, member: Membership, row: Generation, *, with_balance: bool = False
) -> HttpResponse:
    context = live_render.tile_context(row) | {"member": member, "with_balance": with_balance}
    return render(request, "jobs/live/tile.html", context)


def _said(request: HttpRequest, member: Membership, sentence: str) -> HttpResponse:
    """Nothing was done, and this is why."""
    if not request.headers.get("HX-Request"):
        messages.error(request, sentence)
        return redirect("jobs:create", member.team.slug)
    said = json.dumps({"portal:notice": sentence})  # ASCII, as a header must be
    return HttpResponse(status=204, headers={"HX-Trigger": said})


def _look(
    request: HttpRequest, member: Membership, row: Generation | None, image: Image | None
) -> HttpResponse:
    if image is None and (row is None or row.member_id != member.pk):
        raise Http404
    context = create_detail.everything_about(member, row, image, request.GET) | {"since": events.newest()}
    return render(request, "jobs/create/detail.html", context)


def _retargeted(response: HttpResponse, target: str, swap: str) -> HttpResponse:
    response["HX-Retarget"], response["HX-Reswap"] = target, swap
    return response
