"""Where the team's credits went, and who changed what: to read."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Query, Router

from generations.api.v1 import paging, problems, writing
from generations.api.v1.answers import answers
from generations.api.v1.door import Asked, keeper
from generations.api.v1.problems import Problem
from generations.api.v1.schemas_books import (
    ChangePage,
    ChangeSearch,
    LineSearch,
    MonthIn,
    SpendingOut,
    TeamLinePage,
)
from generations.credits import calendar
from generations.credits.calendar import Month
from generations.credits.models import Transfer
from generations.office import changes as log
from generations.office import ledger_page, overview, spend, who, wording
from generations.office.ledger_page import Filters, LedgerFilter
from generations.office.models import AuditEntry
from generations.teams.models import Team

router = Router(tags=["Books of the team"])


@router.get("/team/lines", response=answers(200, TeamLinePage, 404, 422), summary="The team's ledger")
def lines(request: Asked, wanted: Query[LineSearch], before: paging.Number = None) -> dict[str, Any]:
    """The newest lines first, 50 at once; the same filters as on the page."""
    team = keeper(request, "spend_see").team
    form = LedgerFilter(wanted.model_dump(exclude_none=True))
    if not form.is_valid():
        raise problems.of_form(form)
    last = get_object_or_404(Transfer, team=team, pk=before) if before else None
    names = who.names(team)
    page = ledger_page.read(team, Filters(**form.cleaned_data), names, before=last)
    return {"items": [_line(each) for each in page.lines], "next": paging.following(request, page.older)}


@router.get("/team/spending", response=answers(200, SpendingOut, 422), summary="What a month cost")
def spending(request: Asked, wanted: Query[MonthIn]) -> dict[str, Any]:
    """By member and by model, beside what the team has now."""
    team = keeper(request, "spend_see").team
    month = _month(team, wanted.month)
    books, now = overview.books(team, month), overview.standing(team)
    period = {"since": month.first, "until": month.last}
    pictures, refunded = spend.pictures(books, **period)
    by_member = overview.by_member(books, month)
    by_model = spend.spent(books, by=("model",), **period)
    names = who.names(team)
    return {
        "month": month.name,
        "pool": writing.in_credits(now.free),
        "with_members": writing.in_credits(now.with_members),
        "held": writing.in_credits(now.held),
        "spent": writing.in_credits(by_member.total()),
        "pictures": pictures,
        "refunded": refunded,
        "members": [
            {"id": pk, "name": names.get(pk, ""), "spent": writing.in_credits(amount)}
            for pk, amount in by_member.most_common()
        ],
        "models": [
            {"model": model, "spent": writing.in_credits(amount)}
            for (model,), amount in by_model.most_common()
        ],
    }


@router.get("/team/changes", response=answers(200, ChangePage, 404, 422), summary="Who changed what")
def changes(request: Asked, wanted: Query[ChangeSearch], before: paging.Number = None) -> dict[str, Any]:
    """The newest first, 50 at once. The log is written and never changed."""
    form = log.ChangesForm(wanted.model_dump(), team=keeper(request, "spend_see").team)
    if not form.is_valid():
        raise problems.of_form(form)
    last = get_object_or_404(form.entries, pk=before) if before else None
    entries, older = log.page(form.found(), last)
    return {"items": [_change(entry) for entry in entries], "next": paging.following(request, older)}


def _month(team: Team, name: str) -> Month:
    """The one that is named, at most the present one; Problem (422) for what is none."""
    this = Month.of(calendar.today(team))
    try:
        month = Month.named(name) if name else this
    except ValueError:
        month = this.next
    if month.first.year < 2000 or month > this:
        raise Problem(422, "invalid", _("Name a month that has begun, such as 2026-11."), "month")
    return month


def _line(line: ledger_page.Line) -> dict[str, Any]:
    row = line.row
    same = ("kind", "model", "note", "reference", "created_at")
    return {
        "number": row.pk,
        **{name: getattr(row, name) for name in same},
        "amount": writing.in_credits(row.amount),
        "source": row.source.kind,
        "target": row.target.kind,
        "member": {"id": row.member_id, "name": line.member} if row.member_id else None,
        "by": str(row.actor) if row.actor else None,
        "generation": line.generation,
    }


def _change(entry: AuditEntry) -> dict[str, Any]:
    actor, same = entry.actor, ("subject", "note", "before", "after", "address")
    return {
        "id": entry.pk,
        **{name: getattr(entry, name) for name in same},
        "what": entry.act,
        "who": {"id": actor.pk, "name": str(actor), "email": actor.email} if actor else None,
        "member": {"id": entry.member_id, "name": str(entry.member)} if entry.member_id else None,
        "sentence": wording.sentence(entry),
        "created_at": entry.at,
    }
