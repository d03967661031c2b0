"""Create, the stream of its batches, and the page of one image."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from generations.core import request_params
from generations.credits import caps
from generations.jobs import events, pricing, submission
from generations.jobs.create import compare as create_compare
from generations.jobs.create import detail as create_detail
from generations.jobs.create import notes as create_notes
from generations.jobs.create import prefill as create_prefill
from generations.jobs.create import prompt_history
from generations.jobs.create.context import FormContext, save_choices
from generations.jobs.create.forms import GenerationForm
from generations.jobs.create.kept_answers import kept_answer
from generations.jobs.create.model_cards import CardList
from generations.jobs.create.served import ServedModels
from generations.jobs.create.when_opened import WhenOpened
from generations.jobs.live import feed
from generations.jobs.live.views import REFUSALS
from generations.jobs.models import Batch, Generation
from generations.jobs.monitoring.alerts import alerts_for
from generations.library.models import Image
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.registry import InvalidParameters
from generations.teams.models import Membership
from generations.teams.permissions import may, member_required


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
    if "change" in request.POST or "switch_to" in request.POST:
        return _changed(request, member)
    form = GenerationForm(request.POST, request.FILES, member=member)
    batch = _submitted(form)
    if batch is None:
        return _refused(request, form)
    save_choices(form)
    return _created(request, form, batch)


@require_GET
@gzip_page
@member_required(may="generate")
def models(request: HttpRequest, member: Membership) -> HttpResponse:
    """All cards of models for `?operation=`, in the `order` of the page, which has those that are in sight.

    The page says of when its prices are in a header, since its address is that of what the list says.
    """
    served = ServedModels(member, request.GET.get("order", "").split(","))
    operation = served.operation(request.GET.get("operation", ""), "")
    prices = pricing.price_list(member.team, _prices_at(request.headers.get("Prices-At", "")))
    cards = CardList.of(served, operation, prices)
    return kept_answer(request, cards.whole, cards.version)


@require_GET
@gzip_page
@member_required(may="generate")
def when_opened(request: HttpRequest, member: Membership) -> HttpResponse:
    """What a page asks for when a menu or the mask editor is opened."""
    parts = WhenOpened.of(ServedModels(member))
    return kept_answer(request, parts.html(member.team.slug), parts.version)


@require_GET
@never_cache
@gzip_page
@member_required()
def batches(request: HttpRequest, member: Membership) -> HttpResponse:
    """One page of the member's batches: those before `?before=`, after `?after=`, around `?at=`."""
    return render(request, "jobs/live/feed.html", _stream(request, member))


@require_GET
@never_cache
@member_required()
def notices(request: HttpRequest, member: Membership) -> HttpResponse:
    """Alerts for the member, above their batches."""
    return render(request, "jobs/create/notices.html", {"member": member, "alerts": alerts_for(member)})


@require_GET
@never_cache
@gzip_page
@member_required(may="generate")
def prompts(request: HttpRequest, member: Membership) -> HttpResponse:
    """The last different prompts of the member, newest first."""
    sent = prompt_history.of_member(member)
    return render(request, "jobs/create/prompts.html", {"prompts": sent})


@require_GET
@never_cache
@member_required(may="generate")
def form_notes(request: HttpRequest, member: Membership) -> HttpResponse:
    """What is said above the button for `?model=`; 204 if the page has that already (`?shown_notes=`)."""
    notes = create_notes.of_model(member, request.GET.get("model", ""))
    if request.GET.get("shown_notes") == notes.version:
        return HttpResponse(status=204)
    return render(request, "jobs/create/form_notes.html", {"member": member, "notes": notes, "oob": True})


@require_GET
@never_cache
@member_required()
def compare(request: HttpRequest, member: Membership) -> HttpResponse:
    """Two to four pictures (`?image=` for each) beside each other, with their differing parameters."""
    pks = [request_params.uuid_or_404(pk) for pk in request.GET.getlist("image")]
    comparison = create_compare.of_images(member, pks)
    if comparison is None:
        raise Http404
    return render(request, "jobs/create/compare.html", {"member": member, "comparison": comparison})


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
def follow_up(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Order a next step (`action`) that an image offers, once per `submission`, and go to Create."""
    parent = get_object_or_404(Image.objects.visible_to(member), pk=image)
    action, submitted = request.POST.get("action", ""), request.POST.get("submission", "")
    shown_at = request_params.moment(request.POST.get("prices_at", ""))
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


@require_GET
def preferences(request: HttpRequest) -> HttpResponse:
    """Where the settings of the library were; they are on the profile."""
    return redirect("profile:page")


def _submitted(form: GenerationForm) -> Batch | None:
    """The new batch; None if the form has errors, which it shows."""
    if not form.is_valid():
        return None
    try:
        if roles := form.inputs.roles:  # before an image is copied for it
            submission.check(member=form.member, roles=roles, **form.request_fields())
        fields = form.submission_fields()
        return submission.submit(member=form.member, **fields) if form.is_valid() else None
    except InvalidParameters as problem:
        form.add_errors(problem.errors)
    except REFUSALS as problem:
        form.add_error(None, str(problem))
    return None


def _changed(request: HttpRequest, member: Membership) -> HttpResponse:
    """The form of another operation, model or picture, with what was filled in; nothing is created."""
    values = create_prefill.from_form(member, request.POST, request.FILES)
    form = GenerationForm(
        member=member, initial=values, shown_at=_prices_at(request.POST.get("prices_at", ""))
    )
    if not request.headers.get("HX-Request"):
        return _page(request, form, is_whole=request.POST.get("change") == "all")
    context = {"form": form, "form_context": FormContext(form), "member": member}
    return render(request, "jobs/create/choices.html", context)


def _prices_at(said: str) -> datetime | None:
    """The moment of the prices that a form shows, not in the future; None if it says none."""
    try:
        shown_at: datetime = GenerationForm.base_fields["prices_at"].clean(said)
    except ValidationError:
        return None
    return min(shown_at, timezone.now())


def _of_team(member: Membership, pk: uuid.UUID) -> Generation | None:
    """A generation of any member of the team: the caller checks that its image may be seen."""
    rows = Generation.objects.select_related("batch__start_image", "member__user")
    rows = rows.prefetch_related("batch__inputs__upload")
    return rows.filter(team=member.team, pk=pk).first()


def _stream(request: HttpRequest, member: Membership, pictures: int = feed.PICTURES) -> dict[str, Any]:
    """The part of the stream that the request asks for; `at` is an image or a generation."""
    asked = {name: request.GET.get(name, "") for name in ("before", "after", "at")}
    named = {name: request_params.uuid_or_404(text) for name, text in asked.items() if text}
    at = feed.batch_of(member, named["at"]) if "at" in named else None
    cursors = {"before": named.get("before"), "after": named.get("after"), "at": at}
    found = feed.page(member, **cursors, pictures=pictures)
    shown = {"member": member, "shown": found.shown, "newer": found.newer, "older": found.older}
    return shown | {"csrf_token": get_token(request)}  # one for all tiles, and not masked anew for each


def _page(
    request: HttpRequest, form: GenerationForm, status: int = 200, *, is_whole: bool = False
) -> HttpResponse:
    """The page. The id of the newest event is read first, so that no change is missed."""
    since = events.newest_id()
    context = _stream(request, form.member, feed.FIRST_PICTURES) | {
        "form": form,
        "form_context": FormContext(form, is_whole=is_whole),
        "when_opened": WhenOpened.of(form.served),
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
        rows = batch.created or batch.generations.order_by("position")
        first = rows[0].pk
        return redirect(reverse("jobs:create", args=[member.team.slug], query={"from": str(first)}))
    member.wallet.refresh_from_db()
    batch = feed.batches().get(pk=batch.pk)
    entry = feed.entries_of(member, [batch])[0]
    fresh = {"submission_id": str(uuid.uuid4()), "shown_at": form.cleaned_data["prices_at"]}
    context = {"member": member, "entry": entry, "form": fresh, "cap": caps.tightest(member)}
    context["csrf_token"] = get_token(request)
    return render(request, "jobs/create/submitted.html", context)


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
