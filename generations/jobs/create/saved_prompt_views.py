"""Saved prompts: the list that opens with `/` on Create, the dialog that saves one, and the page of all."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from generations.core import request_params
from generations.jobs.create import prefill as create_prefill
from generations.jobs.create import saved_prompts
from generations.jobs.models import SavedPrompt
from generations.library.organise import service as organise_service
from generations.teams.models import Membership, Visibility
from generations.teams.permissions import member_required

MOST_IN_MENU = 30
PAGE_SIZE = 50
MAX_SEARCH_LENGTH = 200
REFUSED = (organise_service.InvalidName, organise_service.NotOwner, saved_prompts.CannotSave)


@require_GET
@never_cache
@member_required(may="generate")
def page(request: HttpRequest, member: Membership) -> HttpResponse:
    """All that the member may see, page by page; `?q=` are words of names."""
    named = _search(request)
    pages = Paginator(saved_prompts.found(member, named), PAGE_SIZE)
    shown = pages.get_page(request_params.page_number(request))
    return render(
        request, "jobs/create/saved_prompts/page.html", {"member": member, "shown": shown, "named": named}
    )


@require_GET
@never_cache
@member_required(may="generate")
def menu(request: HttpRequest, member: Membership) -> HttpResponse:
    """The first ones whose names have the words of `?q=`, as links that fill in the form."""
    named = _search(request)
    rows = list(saved_prompts.found(member, named)[: MOST_IN_MENU + 1])
    context = {
        "member": member,
        "rows": rows[:MOST_IN_MENU],
        "has_more": len(rows) > MOST_IN_MENU,
        "named": named,
    }
    return render(request, "jobs/create/saved_prompts/menu.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(may="organise")
def new(request: HttpRequest, member: Membership) -> HttpResponse:
    """GET: the dialog. POST: save the form of Create that is sent along, or an earlier request (`?from=`).

    The dialog's own fields are `saved_name` and `saved_visibility`: the form has others of the usual names.
    """
    values = _earlier(request, member)
    context: dict[str, Any] = {"member": member, "query": request.GET.urlencode(), "values": values}
    if request.method != "POST":
        return render(request, "jobs/create/saved_prompts/dialog.html", context)
    if values is None:
        values = create_prefill.from_form(member, request.POST, request.FILES)
    context |= {"name": request.POST.get("saved_name", ""), "chosen": _visibility(request)}
    try:
        context["saved"] = saved_prompts.save(
            member=member, name=context["name"], visibility=context["chosen"], values=values
        )
    except REFUSED as problem:
        context["problem"] = str(problem)
    status = 422 if "problem" in context else 200
    return render(request, "jobs/create/saved_prompts/new.html", context, status=status)


@require_POST
@member_required(may="organise")
def change(request: HttpRequest, member: Membership, saved_prompt: uuid.UUID) -> HttpResponse:
    """Change name and visibility."""
    row = _visible(member, saved_prompt)
    try:
        saved_prompts.change(
            member=member,
            saved=row,
            name=request.POST.get("saved_name", row.name),
            visibility=_visibility(request, row.visibility),
        )
    except REFUSED as problem:
        messages.error(request, str(problem))
    return redirect("jobs:saved_prompts", member.team.slug)


@require_POST
@member_required(may="organise")
def delete(request: HttpRequest, member: Membership, saved_prompt: uuid.UUID) -> HttpResponse:
    """Delete one; pictures that were made with it stay."""
    row = _visible(member, saved_prompt)
    try:
        saved_prompts.delete(member=member, saved=row)
    except organise_service.NotOwner as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, _("The saved prompt “%(name)s” is deleted.") % {"name": row.name})
    return redirect("jobs:saved_prompts", member.team.slug)


def _earlier(request: HttpRequest, member: Membership) -> dict[str, Any] | None:
    """The request that the address names by an image or a generation; None if it names none."""
    named = {name: request.GET[name] for name in ("from", "image") if name in request.GET}
    return create_prefill.earlier(member, named) if named else None


def _visible(member: Membership, pk: uuid.UUID) -> SavedPrompt:
    return get_object_or_404(SavedPrompt.objects.visible_to(member), pk=pk)


def _search(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\0", " ").strip()[:MAX_SEARCH_LENGTH]


def _visibility(request: HttpRequest, default: str = Visibility.PRIVATE) -> Visibility:
    wanted = request.POST.get("saved_visibility")
    return Visibility(wanted if wanted in Visibility.values else default)
