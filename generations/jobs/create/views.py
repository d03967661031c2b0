"""Create, the tiles of its batches, the page of one image, and the user's settings of the library."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from generations.core import request_params
from generations.credits import caps, ledger
from generations.jobs import events, model_access, pricing, submission
from generations.jobs.create import detail as create_detail
from generations.jobs.create import prefill as create_prefill
from generations.jobs.create.context import FormContext, save_choices, set_default_visibility
from generations.jobs.create.forms import GenerationForm
from generations.jobs.live import feed
from generations.jobs.live import render as live_render
from generations.jobs.models import Batch, Generation
from generations.jobs.monitoring.alerts import alerts_for
from generations.library.imaging.decode import DecodingBusy
from generations.library.models import Image
from generations.library.storage.client import StorageUnavailable
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.operations import Operation
from generations.providers.catalogue.registry import InvalidParameters
from generations.teams.models import Membership, Visibility
from generations.teams.permissions import may, member_required, redirect_to_login

REFUSALS = (
    ledger.CapReached,
    ledger.InsufficientCredits,
    ledger.MembershipEnded,
    pricing.PriceRose,
    model_access.ModelNotAllowed,
    submission.NoUpstream,
    StorageUnavailable,
    DecodingBusy,
)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@gzip_page
@member_required()
def create(request: HttpRequest, member: Membership) -> HttpResponse:
    """GET: the form and the member's batches. POST: create a batch, once per submission."""
    if not may(member, "generate"):
        return redirect("library:grid", member.team.slug)  # viewers
    if request.method != "POST":
        start = create_prefill.initial(member, request.GET.dict())
        return _page(request, GenerationForm(member=member, initial=start))
    if "change" in request.POST:
        return _changed(request, member)
    form = GenerationForm(request.POST, request.FILES, member=member)
    batch = _submitted(form)
    if batch is None:
        return _refused(request, form)
    save_choices(form)
    return _created(request, form, batch)


@require_GET
@never_cache
@gzip_page
@member_required()
def batches(request: HttpRequest, member: Membership) -> HttpResponse:
    """One page of the member's batches, those before `?before=`."""
    return render(request, "jobs/live/feed.html", _stream(request, member))


@require_GET
@never_cache
@member_required()
def notices(request: HttpRequest, member: Membership) -> HttpResponse:
    """Alerts for the member, above their batches."""
    return render(request, "jobs/create/notices.html", {"member": member, "alerts": alerts_for(member)})


@require_GET
@never_cache
@member_required()
def tile(request: HttpRequest, member: Membership, generation: uuid.UUID) -> HttpResponse:
    """The current tile of one of the member's generations."""
    return _tile(request, member, _mine(member, generation))


@require_GET
@never_cache
@member_required()
def generation(request: HttpRequest, member: Membership, generation: uuid.UUID) -> HttpResponse:
    """The page of a generation of the member, or of one whose image they may see."""
    images = Image.objects.visible_to(member).select_related("owner__user").filter(generation=generation)
    return _detail_page(request, member, _of_team(member, generation), images.order_by("position").first())


@require_GET
@never_cache
@member_required()
def picture(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """The page of an image that the member may see; it may have no generation."""
    visible = Image.objects.visible_to(member).select_related("owner__user")
    found = get_object_or_404(visible, pk=image)
    row = _of_team(member, found.generation) if found.generation else None
    return _detail_page(request, member, row, found)


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
    """Cancel all waiting generations of the member; open pages reload their tiles."""
    count = submission.cancel_all(member=member)
    text = ngettext("%(count)s canceled, not charged.", "%(count)s canceled, not charged.", count)
    sentence = text % {"count": count}
    if not request.headers.get("HX-Request"):
        messages.success(request, sentence)
        return redirect("jobs:create", member.team.slug)
    member.wallet.refresh_from_db()
    response = render(request, "parts/balance.html", {"member": member, "oob": True})
    return trigger_client_event(response, "portal:canceled", {"value": sentence})


@require_POST
@member_required(may="generate")
def retry(request: HttpRequest, member: Membership, generation: uuid.UUID) -> HttpResponse:
    """Retry a generation of the member that ended without an image."""
    row = _mine(member, generation)
    try:
        row = submission.retry(member=member, generation=row.pk)
    except Generation.DoesNotExist:
        raise Http404 from None
    except REFUSALS as problem:
        return _not_done(request, member, str(problem))
    return _updated(request, member, _mine(member, row.pk))


@require_POST
@member_required(may="generate")
def follow_up(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Order a next step (`action`) that an image offers, once per `submission`, and go to Create."""
    parent = get_object_or_404(Image.objects.visible_to(member), pk=image)
    action, submitted = request.POST.get("action", ""), request.POST.get("submission", "")
    shown_at = _moment(request.POST.get("prices_at", ""))
    if not action or shown_at is None:
        raise Http404
    try:
        submission.submit(
            member=member,
            model=parent.model,
            parameters={},
            count=1,
            submission=request_params.uuid_or_404(submitted),
            prices_at=shown_at,
            parent=parent,
            action=action,
        )
    except (*REFUSALS, catalogue_registry.UnknownModel) as problem:
        sentence = str(problem)
    except InvalidParameters as problem:
        sentence = " ".join(problem.errors.values())
    else:
        return redirect("jobs:create", member.team.slug)
    messages.error(request, sentence)
    return redirect("jobs:picture", member.team.slug, parent.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def preferences(request: HttpRequest) -> HttpResponse:
    """GET: the user's settings, for every team. POST: set who sees their new images by default."""
    if not request.user.is_authenticated:
        return redirect_to_login(request)
    visibility = request.POST.get("visibility", "")
    if request.method == "POST" and visibility in Visibility:
        set_default_visibility(request.user, Visibility(visibility))
        messages.success(request, _("Your choice is saved."))
        return redirect("choices:page")
    return render(request, "jobs/create/preferences.html", status=422 if request.method == "POST" else 200)


def _submitted(form: GenerationForm) -> Batch | None:
    """The new batch; None if the form has errors, which it shows."""
    if not form.is_valid():
        return None
    fields = form.submission_fields()
    if not form.is_valid():
        return None
    try:
        return submission.submit(member=form.member, **fields)
    except InvalidParameters as problem:
        form.add_errors(problem.errors)
    except REFUSALS as problem:
        form.add_error(None, str(problem))
    return None


def _changed(request: HttpRequest, member: Membership) -> HttpResponse:
    """The form of another operation, model or picture, with what was filled in; nothing is created."""
    values = create_prefill.from_form(member, request.POST, request.FILES)
    form = GenerationForm(member=member, initial=values, shown_at=_prices_at(request))
    if not request.headers.get("HX-Request"):
        return _page(request, form)
    context = {"form": form, "form_context": FormContext(form), "member": member}
    return render(request, "jobs/create/choices.html", context)


def _prices_at(request: HttpRequest) -> datetime | None:
    """The moment of the prices that a form shows, not in the future; None if it says none."""
    try:
        shown_at: datetime = GenerationForm.base_fields["prices_at"].clean(request.POST.get("prices_at", ""))
    except ValidationError:
        return None
    return min(shown_at, timezone.now())


def _moment(text: str) -> datetime | None:
    """A moment with its time zone from a form; None for anything else."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and timezone.is_aware(moment) else None


def _mine(member: Membership, pk: uuid.UUID) -> Generation:
    return get_object_or_404(member.generations.select_related("batch__start_image"), pk=pk)


def _of_team(member: Membership, pk: uuid.UUID) -> Generation | None:
    """A generation of any member of the team: the caller checks that its image may be seen."""
    rows = Generation.objects.select_related("batch__start_image", "member__user")
    rows = rows.prefetch_related("batch__inputs__upload")
    return rows.filter(team=member.team, pk=pk).first()


def _stream(request: HttpRequest, member: Membership) -> dict[str, Any]:
    before = request.GET.get("before", "")
    try:
        shown, older = feed.page(member, uuid.UUID(before) if before else None)
    except ValueError:
        raise Http404 from None
    return {"member": member, "shown": shown, "older": older, "before": before}


def _page(request: HttpRequest, form: GenerationForm, status: int = 200) -> HttpResponse:
    """The whole page. The id of the newest event is read first, so that no change is missed."""
    since = events.newest_id()
    context = _stream(request, form.member) | {
        "form": form,
        "form_context": FormContext(form),
        "since": since,
    }
    context |= {"waiting": feed.count_waiting(form.member), "alerts": alerts_for(form.member)}
    return render(request, "jobs/create/page.html", context, status=status)


def _refused(request: HttpRequest, form: GenerationForm) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        return _page(request, form, status=422)
    context = {"form": form, "form_context": FormContext(form), "member": form.member}
    response = render(request, "jobs/create/form.html", context, status=422)
    return _retargeted(response, "#create-form", "outerHTML")


def _created(request: HttpRequest, form: GenerationForm, batch: Batch) -> HttpResponse:
    """The new batch. The prices on the page stay as they are, so the next form has the same `prices_at`."""
    member = form.member
    if not request.headers.get("HX-Request"):
        again = {} if form.chosen_operation is Operation.GENERATE else {"operation": form.chosen_operation}
        return redirect(reverse("jobs:create", args=[member.team.slug], query=again))
    member.wallet.refresh_from_db()
    batch = feed.batches().get(pk=batch.pk)
    entry = feed.entries_of(member, [batch])[0]
    fresh = GenerationForm(member=member, shown_at=form.cleaned_data["prices_at"])
    context = {"member": member, "entry": entry, "form": fresh, "cap": caps.tightest(member)}
    return render(request, "jobs/create/submitted.html", context)


def _updated(request: HttpRequest, member: Membership, row: Generation) -> HttpResponse:
    """The tile and the balance after a change; without htmx, a redirect to Create."""
    if not request.headers.get("HX-Request"):
        return redirect("jobs:create", member.team.slug)
    member.wallet.refresh_from_db()
    return _tile(request, member, row, with_balance=True)


def _tile(
    request: HttpRequest, member: Membership, row: Generation, *, with_balance: bool = False
) -> HttpResponse:
    context = live_render.tile_context(row) | {"member": member, "with_balance": with_balance}
    return render(request, "jobs/live/tile.html", context)


def _not_done(request: HttpRequest, member: Membership, sentence: str) -> HttpResponse:
    """Say why nothing was done."""
    if not request.headers.get("HX-Request"):
        messages.error(request, sentence)
        return redirect("jobs:create", member.team.slug)
    trigger = json.dumps({"portal:notice": sentence})  # escaped to ASCII, as a header must be
    return HttpResponse(status=204, headers={"HX-Trigger": trigger})


def _detail_page(
    request: HttpRequest, member: Membership, row: Generation | None, image: Image | None
) -> HttpResponse:
    if image is None and (row is None or row.member_id != member.pk):
        raise Http404
    context = create_detail.detail_context(member, row, image, request.GET) | {"since": events.newest_id()}
    return render(request, "jobs/create/detail.html", context)


def _retargeted(response: HttpResponse, target: str, swap: str) -> HttpResponse:
    response["HX-Retarget"], response["HX-Reswap"] = target, swap
    return response
