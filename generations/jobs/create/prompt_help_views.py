"""The prompt helper on Create: a press, how it is, and its answer taken or left. It never sends the form."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from generations.core.request_params import uuid_or_404
from generations.credits import ledger
from generations.jobs import pricing
from generations.jobs import prompt_help as jobs_prompt_help
from generations.jobs.create import prompt_diff
from generations.jobs.models import PromptHelp
from generations.teams.models import Membership
from generations.teams.permissions import member_required

RESULT = "jobs/create/prompt_help/result.html"
REFUSALS = (
    jobs_prompt_help.NoHelp,
    pricing.PriceRose,
    ledger.InsufficientCredits,
    ledger.CapReached,
    ledger.MembershipEnded,
)


@require_POST
@never_cache
@member_required(may="generate")
def ask(request: HttpRequest, member: Membership) -> HttpResponse:
    """Ask for `task` with the text of `prompt`, once per `help_submission`, at `help_price` or less."""
    shown = request.POST.get("help_price", "")
    if not (shown.isascii() and shown.isdecimal() and len(shown) < 10):
        raise Http404
    context: dict[str, Any] = {
        "member": member,
        "offer": jobs_prompt_help.offer(),
        "is_part": True,
        "is_new": True,
    }
    try:
        row = jobs_prompt_help.ask(
            member=member,
            task=request.POST.get("task", ""),
            text=request.POST.get("prompt", ""),
            submission=uuid_or_404(request.POST.get("help_submission", "")),
            shown_price=int(shown),
        )
    except REFUSALS as problem:
        return render(request, RESULT, context | {"problem": str(problem)}, status=422)
    member.wallet.refresh_from_db()
    return render(request, RESULT, context | prompt_diff.context_of(row))


@require_GET
@never_cache
@member_required(may="generate")
def show(request: HttpRequest, member: Membership, prompt_help: uuid.UUID) -> HttpResponse:
    """How a call of the member is: it waits, or has an answer, or never will.

    204 while it waits and the page says so already (`?shown=` is how long the reason is that it shows).
    """
    row = get_object_or_404(PromptHelp, member=member, pk=prompt_help)
    if not row.is_finished and request.GET.get("shown") == str(len(row.reason)):
        return HttpResponse(status=204)
    return render(request, RESULT, {"member": member, "is_part": True} | prompt_diff.context_of(row))


@require_POST
@member_required(may="generate")
def close(request: HttpRequest, member: Membership, prompt_help: uuid.UUID) -> HttpResponse:
    """Show a call of the member no more: its answer was taken or left."""
    get_object_or_404(PromptHelp, member=member, pk=prompt_help)
    jobs_prompt_help.close(member=member, pk=prompt_help)
    return HttpResponse()
