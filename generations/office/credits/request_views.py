"""The page on which a member asks for credits, and the answers to it, which stand in notices."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from generations.credits import accounts, caps, ledger
from generations.credits.amounts import in_credits
from generations.office.audit_log import service as audit_log_service
from generations.office.credits import requests as credit_requests
from generations.office.credits.forms import AnswerForm, AskForm
from generations.office.models import CreditRequest
from generations.office.notices import messages as notices_messages
from generations.office.notices.service import ShownNotice
from generations.teams.models import Membership
from generations.teams.permissions import member_required

MAX_SHOWN = 10  # earlier requests on the page


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(may="generate")
def ask(request: HttpRequest, member: Membership) -> HttpResponse:
    """Ask those who may grant for an amount (`?amount=` fills the form); they themselves go to Grant."""
    if not credit_requests.may_ask(member):
        return redirect(f"{reverse('office:grant', args=[member.team.slug])}?member={member.pk}")
    if request.method != "POST":
        return _page(request, member, AskForm(initial=_prefill(request)))
    form = AskForm(request.POST)
    if form.is_valid():
        try:
            credit_requests.ask(
                member=member,
                amount=form.cleaned_data["amount"],
                note=form.cleaned_data["note"],
                reference=form.cleaned_data["reference"] or uuid.uuid4(),
                by=audit_log_service.actor_of(request),
            )
        except (credit_requests.RequestRefused, ledger.LedgerError) as problem:
            form.add_error(None, str(problem))
        else:
            text = _("You asked for %(credits)s. You get a notice of the answer.")
            messages.success(request, text % {"credits": in_credits(form.cleaned_data["amount"])})
            return redirect("office:ask_for_credits", member.team.slug)
    return _page(request, member, form)


@require_POST
@member_required(may="generate")
def withdraw(request: HttpRequest, member: Membership) -> HttpResponse:
    """Withdraw the member's open request."""
    if credit_requests.withdraw(member=member, by=audit_log_service.actor_of(request)):
        messages.success(request, _("Your request is withdrawn."))
    else:
        messages.info(request, _("There is no open request."))
    return redirect("office:ask_for_credits", member.team.slug)


@require_POST
@member_required(may="grant")
def answer(request: HttpRequest, member: Membership, credit_request: uuid.UUID) -> HttpResponse:
    """Grant an amount, or say No; for htmx the notice that stands there afterwards."""
    asked = get_object_or_404(credit_requests.requests_of(member.team), pk=credit_request)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        problems = [str(each) for each in form.errors.get("amount", [])]
        return _respond(request, asked, error=" ".join(problems) or _("Try again."))
    by, data = audit_log_service.actor_of(request), form.cleaned_data
    try:
        if data["answer"] == AnswerForm.GRANT:
            row = credit_requests.grant(request=asked, amount=data["amount"], word=data["word"], by=by)
            text = _("%(who)s has %(credits)s more.")
            success = text % {"who": row.member, "credits": in_credits(row.granted or 0)}
        else:
            row = credit_requests.decline(request=asked, word=data["word"], by=by)
            success = _("%(who)s is told that the credits are not granted.") % {"who": row.member}
    except (credit_requests.RequestRefused, ledger.LedgerError) as problem:
        return _respond(request, asked, error=str(problem))
    return _respond(request, asked, success=success)


@require_POST
@member_required()
def put_away(request: HttpRequest, member: Membership, credit_request: uuid.UUID) -> HttpResponse:
    """Show the answer no more to the member who asked."""
    rows = credit_requests.requests_of(member.team).filter(member=member)
    credit_requests.put_away(get_object_or_404(rows, pk=credit_request))
    if request.headers.get("HX-Request"):
        return HttpResponse()
    return redirect(_next_page(request) or reverse("credits:lines", args=[member.team.slug]))


def _prefill(request: HttpRequest) -> dict[str, Any]:
    amount = request.GET.get("amount", "")
    return {"amount": amount} if amount.isascii() and amount.isdecimal() and len(amount) < 10 else {}


def _page(request: HttpRequest, member: Membership, form: AskForm) -> HttpResponse:
    requests = list(member.credit_requests.select_related("answered_by").order_by("-asked_at", "pk"))[
        :MAX_SHOWN
    ]
    wallet = accounts.open_wallet(member)
    granters = [str(user) for user in credit_requests.granters(member.team)]
    context = {
        "member": member,
        "form": form,
        "waiting": next((each for each in requests if each.state == "open"), None),
        "earlier": [each for each in requests if each.state != "open"],
        "wallet": wallet,
        "caps": caps.usage(caps.Limits(member, member.cap_per_day, member.cap_per_month), wallet),
        "granters": granters,
    }
    return render(request, "office/credits/ask.html", context, status=422 if form.is_bound else 200)


def _respond(
    request: HttpRequest, asked: CreditRequest, *, success: str = "", error: str = ""
) -> HttpResponse:
    """Answer with the notice for htmx, else with a redirect to the page on which it stood."""
    if request.headers.get("HX-Request"):
        notice = ShownNotice(None, notices_messages.credit_request(asked), asked)
        context = {"notice": notice, "success": success, "error": error}
        return render(request, "office/credits/answered.html", context)
    if success:
        messages.success(request, success)
    else:
        messages.error(request, error)
    return redirect(_next_page(request) or reverse("office:overview", args=[asked.member.team.slug]))


def _next_page(request: HttpRequest) -> str:
    """Return the page of the portal that the form names; "" for none."""
    address = request.POST.get("next", "")
    return address if url_has_allowed_host_and_scheme(address, allowed_hosts={request.get_host()}) else ""
