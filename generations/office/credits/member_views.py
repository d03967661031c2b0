"""One member's credits: figures, what they are given each month, what they may spend, corrections."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from generations.credits import ledger
from generations.credits.amounts import HUNDREDTHS, as_text
from generations.office.audit_log import service as audit_log_service
from generations.office.credits import adjustments as credits_adjustments
from generations.office.credits import allowances, caps, member_summary
from generations.office.credits.forms import AdjustForm, AllowanceForm, CapsForm
from generations.office.models import Allowance, AllowanceKind
from generations.teams.models import Membership
from generations.teams.permissions import member_required


@require_safe
@never_cache
@member_required(may="grant")
def page(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """The member's figures, and the forms that change what they get and may spend."""
    return _page(request, member, _found(member, pk))


@require_POST
@member_required(may="grant")
def set_allowance(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """Give the member something each month."""
    row = _found(member, pk)
    form = AllowanceForm(request.POST)
    if not form.is_valid():
        return _page(request, member, row, allowance_form=form)
    said = form.cleaned_data
    try:
        allowance = allowances.set_allowance(
            member=row,
            kind=AllowanceKind(said["kind"]),
            amount=said["amount"],
            now=said["starts"] == "now",
            by=audit_log_service.by(request),
        )
    except ledger.LedgerError as problem:
        form.add_error(None, str(problem))
        return _page(request, member, row, allowance_form=form)
    messages.success(request, _allowed(row, allowance))
    return _to(row)


@require_POST
@member_required(may="grant")
def end_allowance(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """Give the member nothing more by itself."""
    row = _found(member, pk)
    allowances.end_allowance(member=row, by=audit_log_service.by(request))
    messages.success(request, _("%(who)s is given nothing more each month.") % {"who": row})
    return _to(row)


@require_POST
@member_required(may="grant")
def set_caps(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """Cap what the member may spend."""
    row = _found(member, pk)
    form = CapsForm(request.POST)
    if not form.is_valid():
        return _page(request, member, row, caps_form=form)
    try:
        caps.set_caps(member=row, by=audit_log_service.by(request), **form.cleaned_data)
    except ledger.LedgerError as problem:
        form.add_error(None, str(problem))
        return _page(request, member, row, caps_form=form)
    messages.success(request, _("The caps of %(who)s are set.") % {"who": row})
    return _to(row)


@require_POST
@member_required(may="adjust")
def adjust(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """Correct the member's balance, with a reason."""
    row = _found(member, pk)
    form = AdjustForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        try:
            credits_adjustments.adjust_wallet(
                member=row,
                amount=form.signed,
                reference=said["reference"],
                by=audit_log_service.by(request),
                note=said["note"],
            )
        except ledger.LedgerError as problem:
            form.add_error(None, str(problem))
        else:
            words = {"who": row, "credits": as_text(said["amount"])}
            more = _("%(who)s has %(credits)s credits more.")
            less = _("%(credits)s credits were moved from %(who)s to the pool.")
            messages.success(request, (more if form.signed > 0 else less) % words)
            return _to(row)
    return _page(request, member, row, adjust_form=form)


def _found(member: Membership, pk: int) -> Membership:
    """One of my team, those who left too: their figures stay."""
    rows = Membership.objects.select_related("user", "team", "wallet", "allowance")
    return get_object_or_404(rows, team=member.team, pk=pk)


def _page(request: HttpRequest, member: Membership, row: Membership, **forms: Any) -> HttpResponse:
    allowance: Allowance | None = getattr(row, "allowance", None)
    is_gone = row.ended_at is not None
    context = {
        "member": member,
        "row": row,
        "wallet": ledger.open_wallet(row),
        "figures": member_summary.of_member(row),
        "allowance": allowance,
        "is_given": allowances.is_given(row),
        "lines": member_summary.newest_lines(row),
        "is_gone": is_gone,
        "allowance_form": AllowanceForm(initial=_present(allowance)),
        "caps_form": CapsForm(
            initial={"per_day": _credits(row.cap_per_day), "per_month": _credits(row.cap_per_month)}
        ),
        "adjust_form": AdjustForm(),
    }
    return render(request, "office/credits/member.html", context | forms, status=422 if forms else 200)


def _present(allowance: Allowance | None) -> dict[str, Any]:
    return {"kind": allowance.kind, "amount": _credits(allowance.amount)} if allowance else {}


def _credits(amount: int | None) -> str:
    """Hundredths as a field is filled in with them."""
    if amount is None:
        return ""
    whole, rest = divmod(amount, HUNDREDTHS)
    return f"{whole}.{rest:02}" if rest else str(whole)


def _allowed(row: Membership, allowance: Allowance) -> str:
    words = {"who": row, "credits": as_text(allowance.amount)}
    if allowance.kind == AllowanceKind.TOP_UP:
        said = _("%(who)s is topped up to %(credits)s credits each month.")
    else:
        said = _("%(who)s is given %(credits)s credits each month.")
    return said % words


def _to(row: Membership) -> HttpResponse:
    return redirect("office:member", row.team.slug, row.pk)
