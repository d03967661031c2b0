"""Pages that grant credits from the pool and take them back: for chosen members, or from a CSV file."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Value
from django.db.models.functions import Coalesce, Lower, NullIf
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from generations.credits import ledger
from generations.credits.amounts import in_credits
from generations.credits.models import Transfer
from generations.office.audit_log import service as audit_log_service
from generations.office.credits import csv_import
from generations.office.credits import service as credits_service
from generations.office.credits.csv_import import ParsedFile
from generations.office.credits.forms import CsvGrantForm, CsvUploadForm, GrantForm
from generations.office.credits.service import MemberAmount
from generations.teams.models import Membership, Team
from generations.teams.permissions import member_required

MAX_SHOWN = 200  # rows of a file, and as many of its errors


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(may="grant")
def grant(request: HttpRequest, member: Membership) -> HttpResponse:
    """Grant credits from the pool to the chosen members."""
    return _grant_or_take_back(request, member, taking_back=False)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(may="grant")
def take_back(request: HttpRequest, member: Membership) -> HttpResponse:
    """Take credits back from the chosen members to the pool."""
    return _grant_or_take_back(request, member, taking_back=True)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(may="grant")
def grant_csv(request: HttpRequest, member: Membership) -> HttpResponse:
    """Preview what a CSV file would grant, or its errors; then grant it."""
    if "lines" in request.POST:
        return _grant_previewed(request, member)
    form = CsvUploadForm(request.POST, request.FILES) if request.method == "POST" else CsvUploadForm()
    if not form.is_valid():
        return _csv_page(request, member, form=form)
    text = form.text
    if isinstance(text, csv_import.RowError):
        return _csv_page(request, member, form=form, parsed=ParsedFile(errors=[text]))
    parsed = csv_import.parse(member.team, text)
    grant_form = CsvGrantForm(initial={"lines": text})
    return _csv_page(request, member, form=form, parsed=parsed, grant_form=grant_form)


def _grant_or_take_back(request: HttpRequest, member: Membership, *, taking_back: bool) -> HttpResponse:
    selected = [pk for pk in request.GET.getlist("member") if pk.isascii() and pk.isdecimal()]
    form = GrantForm(
        request.POST if request.method == "POST" else None,
        candidates=_present_members(member.team),
        taking_back=taking_back,
        initial={"members": selected},
    )
    if form.is_valid():
        move = credits_service.take_back if taking_back else credits_service.grant
        try:
            entries = move(
                team=member.team,
                amounts=form.amounts,
                reference=form.cleaned_data["reference"],
                by=audit_log_service.actor_of(request),
                note=form.cleaned_data["note"],
            )
        except ledger.InsufficientCredits as problem:
            form.add_error(None, form.shortage_message() or str(problem))
        except ledger.LedgerError as problem:
            form.add_error(None, str(problem))
        else:
            _add_message(request, entries, _success_message(form.amounts, taking_back=taking_back))
            return redirect("office:overview", member.team.slug)
    context = {"member": member, "form": form, "pool": ledger.open_pool(member.team)}
    return render(request, "office/credits/grant.html", context, status=422 if form.is_bound else 200)


def _present_members(team: Team) -> list[Membership]:
    """The present members of the team, programs included, by name."""
    name = Lower(Coalesce(NullIf("name", Value("")), NullIf("user__name", Value("")), "user__email"))
    present = team.memberships.filter(ended_at=None).select_related("user", "wallet")
    return list(present.order_by(name, "pk"))


def _add_message(request: HttpRequest, entries: list[Transfer], success: str) -> None:
    """Show the success message, or that the same form was sent before."""
    if entries[0].is_new:
        messages.success(request, success)
    else:
        messages.info(request, _("This form was sent before; nothing more was moved."))


def _success_message(amounts: list[MemberAmount], *, taking_back: bool) -> str:
    """Say what was granted or taken back."""
    first = amounts[0]
    values = {"credits": in_credits(first.amount), "who": first.member, "count": len(amounts)}
    if len(amounts) == 1:
        if taking_back:
            return _("Took back %(credits)s from %(who)s.") % values
        return _("%(who)s has %(credits)s more.") % values
    if taking_back:
        message = ngettext(
            "Took back %(credits)s from %(count)s member.",
            "Took back %(credits)s from each of %(count)s members.",
            len(amounts),
        )
    else:
        message = ngettext(
            "%(count)s member has %(credits)s more.",
            "%(count)s members have %(credits)s more each.",
            len(amounts),
        )
    return message % values


def _grant_previewed(request: HttpRequest, member: Membership) -> HttpResponse:
    """Grant the rows that were previewed. They are parsed again, as members may have left since."""
    grant_form = CsvGrantForm(request.POST)
    if not grant_form.is_valid():
        return _csv_page(request, member, form=CsvUploadForm(), grant_form=grant_form)
    parsed = csv_import.parse(member.team, grant_form.cleaned_data["lines"])
    if not parsed.errors:
        try:
            entries = credits_service.grant(
                team=member.team,
                amounts=parsed.amounts,
                reference=grant_form.cleaned_data["reference"],
                by=audit_log_service.actor_of(request),
                note=_("from a file"),
            )
        except ledger.LedgerError as problem:
            grant_form.add_error(None, str(problem))
        else:
            message = ngettext(
                "%(count)s member was granted %(credits)s.",
                "%(count)s members were granted %(credits)s together.",
                len(parsed.amounts),
            )
            values = {"count": len(parsed.amounts), "credits": in_credits(parsed.total)}
            _add_message(request, entries, message % values)
            return redirect("office:overview", member.team.slug)
    return _csv_page(request, member, form=CsvUploadForm(), parsed=parsed, grant_form=grant_form)


def _csv_page(request: HttpRequest, member: Membership, **context: Any) -> HttpResponse:
    """Render the page with the first amounts and errors of the file, and how many more there are."""
    parsed: ParsedFile | None = context.get("parsed")
    pool = ledger.open_pool(member.team)
    context |= {"member": member, "pool": pool}
    if parsed:
        context |= {
            "amounts": parsed.amounts[:MAX_SHOWN],
            "more_amounts": max(0, len(parsed.amounts) - MAX_SHOWN),
            "errors": parsed.errors[:MAX_SHOWN],
            "more_errors": max(0, len(parsed.errors) - MAX_SHOWN),
            "shortage": max(0, parsed.total - pool.available),
            "pool_after": pool.available - parsed.total,
        }
    is_refused = request.method == "POST" and (parsed is None or bool(parsed.errors))
    return render(request, "office/credits/csv_import.html", context, status=422 if is_refused else 200)
