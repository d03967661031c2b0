"""The page of one member's credits: summary, allowance, caps, adjustments."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from generations.credits import ledger
from generations.credits.amounts import as_field, in_credits
from generations.office.audit_log import service as audit_log_service
from generations.office.credits import allowances, member_summary
from generations.office.credits import service as credits_service
from generations.office.credits.forms import AdjustmentForm, AllowanceForm, CapsForm
from generations.office.models import Allowance, AllowanceKind
from generations.teams.models import Membership
from generations.teams.permissions import member_required


@require_safe
@never_cache
@member_required(may="grant")
def page(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """Show the member's credits, with the forms that change them."""
    return _render(request, member, _get_member(member, pk))


@require_POST
@member_required(may="grant")
def set_allowance(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """Set the member's monthly allowance."""
    subject = _get_member(member, pk)
    form = AllowanceForm(request.POST)
    if not form.is_valid():
        return _render(request, member, subject, allowance_form=form)
    data = form.cleaned_data
    try:
        allowance = allowances.set_allowance(
            member=subject,
            kind=AllowanceKind(data["kind"]),
            amount=data["amount"],
            from_this_month=data["starts"] == "now",
            by=audit_log_service.actor_of(request),
        )
    except ledger.LedgerError as problem:
        form.add_error(None, str(problem))
        return _render(request, member, subject, allowance_form=form)
    messages.success(request, _allowance_message(subject, allowance))
    return _redirect_to(subject)


@require_POST
@member_required(may="grant")
def end_allowance(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """End the member's monthly allowance."""
    subject = _get_member(member, pk)
    allowances.end_allowance(member=subject, by=audit_log_service.actor_of(request))
    messages.success(request, _("%(who)s is granted nothing more each month.") % {"who": subject})
    return _redirect_to(subject)


@require_POST
@member_required(may="grant")
def set_caps(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """Set the member's spending caps."""
    subject = _get_member(member, pk)
    form = CapsForm(request.POST)
    if not form.is_valid():
        return _render(request, member, subject, caps_form=form)
    try:
        credits_service.set_caps(member=subject, by=audit_log_service.actor_of(request), **form.cleaned_data)
    except ledger.LedgerError as problem:
        form.add_error(None, str(problem))
        return _render(request, member, subject, caps_form=form)
    messages.success(request, _("The caps of %(who)s are set.") % {"who": subject})
    return _redirect_to(subject)


@require_POST
@member_required(may="adjust")
def adjust(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """Adjust the member's balance, with a reason."""
    subject = _get_member(member, pk)
    form = AdjustmentForm(request.POST)
    if form.is_valid():
        data = form.cleaned_data
        try:
            credits_service.adjust_wallet(
                member=subject,
                amount=form.signed_amount,
                reference=data["reference"],
                by=audit_log_service.actor_of(request),
                note=data["note"],
            )
        except ledger.LedgerError as problem:
            form.add_error(None, str(problem))
        else:
            values = {"who": subject, "credits": in_credits(data["amount"])}
            added = _("%(who)s has %(credits)s more.")
            removed = _("Moved %(credits)s from %(who)s to the team.")
            messages.success(request, (added if form.signed_amount > 0 else removed) % values)
            return _redirect_to(subject)
    return _render(request, member, subject, adjust_form=form)


def _get_member(member: Membership, pk: int) -> Membership:
    """Return a member of the same team, also one who has left; 404 for any other."""
    rows = Membership.objects.select_related("user", "team", "wallet", "allowance")
    return get_object_or_404(rows, team=member.team, pk=pk)


def _render(request: HttpRequest, member: Membership, subject: Membership, **forms: Any) -> HttpResponse:
    allowance: Allowance | None = getattr(subject, "allowance", None)
    context = {
        "member": member,
        "subject": subject,
        "wallet": ledger.open_wallet(subject),
        "summary": member_summary.summary_of(subject),
        "allowance": allowance,
        "is_granted": allowances.is_granted(subject),
        "entries": member_summary.latest_entries(subject),
        "has_left": subject.ended_at is not None,
        "allowance_form": AllowanceForm(initial=_initial(allowance)),
        "caps_form": CapsForm(
            initial={
                "per_day": as_field(subject.cap_per_day),
                "per_month": as_field(subject.cap_per_month),
            }
        ),
        "adjust_form": AdjustmentForm(),
    }
    return render(request, "office/credits/member.html", context | forms, status=422 if forms else 200)


def _initial(allowance: Allowance | None) -> dict[str, Any]:
    return {"kind": allowance.kind, "amount": as_field(allowance.amount)} if allowance else {}


def _allowance_message(subject: Membership, allowance: Allowance) -> str:
    values = {"who": subject, "credits": in_credits(allowance.amount)}
    if allowance.kind == AllowanceKind.TOP_UP:
        message = _("%(who)s is topped up to %(credits)s each month.")
    else:
        message = _("%(who)s is granted %(credits)s each month.")
    return message % values


def _redirect_to(subject: Membership) -> HttpResponse:
    return redirect("office:member", subject.team.slug, subject.pk)
