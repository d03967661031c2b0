"""Granting from the pool and taking back: to one or several members, or by a file."""

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
from generations.credits.amounts import as_text
from generations.credits.models import Transfer
from generations.office.audit_log import service as audit_log_service
from generations.office.credits import csv_import, grants
from generations.office.credits.csv_import import Reading
from generations.office.credits.forms import ApplyForm, FileForm, ShareForm
from generations.teams.models import Membership, Team
from generations.teams.permissions import member_required

SHOWN = 200  # lines of a file, and as many of its mistakes


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(may="grant")
def grant(request: HttpRequest, member: Membership) -> HttpResponse:
    """Move credits from the pool to those who are chosen."""
    return _share(request, member, back=False)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(may="grant")
def take_back(request: HttpRequest, member: Membership) -> HttpResponse:
    """Move credits from those who are chosen back to the pool."""
    return _share(request, member, back=True)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(may="grant")
def grant_csv(request: HttpRequest, member: Membership) -> HttpResponse:
    """Show what a file would grant, or what is wrong with it; then grant it."""
    if "lines" in request.POST:
        return _apply(request, member)
    form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    if not form.is_valid():
        return _file_page(request, member, form=form)
    text = form.text
    if isinstance(text, csv_import.Wrong):
        return _file_page(request, member, form=form, reading=Reading(wrong=[text]))
    reading = csv_import.read(member.team, text)
    apply = ApplyForm(initial={"lines": text})
    return _file_page(request, member, form=form, reading=reading, apply=apply)


def _share(request: HttpRequest, member: Membership, *, back: bool) -> HttpResponse:
    chosen = [name for name in request.GET.getlist("member") if name.isascii() and name.isdecimal()]
    form = ShareForm(
        request.POST if request.method == "POST" else None,
        people=_people(member.team),
        back=back,
        initial={"members": chosen},
    )
    if form.is_valid():
        verb = grants.take_back if back else grants.grant
        said = form.cleaned_data
        try:
            lines = verb(
                team=member.team,
                gifts=form.gifts,
                form=said["reference"],
                by=audit_log_service.by(request),
                note=said["note"],
            )
        except ledger.InsufficientCredits as problem:
            form.add_error(None, form.lacking() or str(problem))
        except ledger.LedgerError as problem:
            form.add_error(None, str(problem))
        else:
            _tell(request, lines, _done(form.gifts, back=back))
            return redirect("office:overview", member.team.slug)
    context = {"member": member, "form": form, "pool": ledger.open_pool(member.team)}
    return render(request, "office/credits/grant.html", context, status=422 if form.is_bound else 200)


def _people(team: Team) -> list[Membership]:
    """Everybody who is in the team, programs too, by name."""
    name = Lower(Coalesce(NullIf("name", Value("")), NullIf("user__name", Value("")), "user__email"))
    present = team.memberships.filter(ended_at=None).select_related("user", "wallet")
    return list(present.order_by(name, "pk"))


def _tell(request: HttpRequest, lines: list[Transfer], done: str) -> None:
    """Say what was done, unless that was the first time this form was sent."""
    if lines[0].is_new:
        messages.success(request, done)
    else:
        messages.info(request, _("This form was sent before; nothing more was moved."))


def _done(gifts: list[grants.Gift], *, back: bool) -> str:
    """What happened, in a sentence."""
    words = {"credits": as_text(gifts[0].amount), "who": gifts[0].member, "count": len(gifts)}
    if len(gifts) == 1:
        one = (
            _("%(credits)s credits were taken back from %(who)s.")
            if back
            else _("%(who)s has %(credits)s credits more.")
        )
        return one % words
    if back:
        said = ngettext(
            "%(credits)s credits were taken back from %(count)s member.",
            "%(credits)s credits each were taken back from %(count)s members.",
            len(gifts),
        )
    else:
        said = ngettext(
            "%(count)s member has %(credits)s credits more.",
            "%(count)s members have %(credits)s credits more each.",
            len(gifts),
        )
    return said % words


def _apply(request: HttpRequest, member: Membership) -> HttpResponse:
    """Grant the lines that were shown, read anew: people may have left since."""
    apply = ApplyForm(request.POST)
    if not apply.is_valid():
        return _file_page(request, member, form=FileForm(), apply=apply)
    reading = csv_import.read(member.team, apply.cleaned_data["lines"])
    if not reading.wrong:
        form = apply.cleaned_data["reference"]
        try:
            lines = grants.grant(
                team=member.team,
                gifts=reading.gifts,
                form=form,
                by=audit_log_service.by(request),
                note=_("from a file"),
            )
        except ledger.LedgerError as problem:
            apply.add_error(None, str(problem))
        else:
            said = ngettext(
                "%(count)s member was granted %(credits)s credits.",
                "%(count)s members were granted %(credits)s credits together.",
                len(reading.gifts),
            )
            words = {"count": len(reading.gifts), "credits": as_text(reading.total)}
            _tell(request, lines, said % words)
            return redirect("office:overview", member.team.slug)
    return _file_page(request, member, form=FileForm(), reading=reading, apply=apply)


def _file_page(request: HttpRequest, member: Membership, **context: Any) -> HttpResponse:
    """The page with what the file says: its first lines, its first mistakes, and how many more."""
    reading: Reading | None = context.get("reading")
    pool = ledger.open_pool(member.team)
    context |= {"member": member, "pool": pool}
    if reading:
        context |= {
            "shown": reading.gifts[:SHOWN],
            "more": max(0, len(reading.gifts) - SHOWN),
            "wrong": reading.wrong[:SHOWN],
            "more_wrong": max(0, len(reading.wrong) - SHOWN),
            "missing": max(0, reading.total - pool.available),
            "left": pool.available - reading.total,
        }
    is_refused = request.method == "POST" and (reading is None or bool(reading.wrong))
    return render(request, "office/credits/csv_import.html", context, status=422 if is_refused else 200)
