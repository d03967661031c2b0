"""The team's ledger, spending and audit log. They need the scope `administer`."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Query, Router

from generations.api.v1 import errors as v1_errors
from generations.api.v1 import pagination, serializers
from generations.api.v1.auth import ApiRequest, administrator
from generations.api.v1.error_format import ApiError
from generations.api.v1.openapi import responses
from generations.api.v1.schemas.reports import (
    ChangePage,
    ChangeSearch,
    LineSearch,
    MonthIn,
    SpendingOut,
    TeamLinePage,
)
from generations.credits import periods
from generations.credits.models import Transfer
from generations.credits.periods import Month
from generations.office.audit_log import query as audit_log_query
from generations.office.audit_log import sentences as audit_log_sentences
from generations.office.members import query as members_query
from generations.office.models import AuditEntry
from generations.office.reports import ledger as reports_ledger
from generations.office.reports import overview as reports_overview
from generations.office.reports.ledger import LedgerFilterForm, LedgerFilters
from generations.teams.models import Team

router = Router(tags=["Reports"])


@router.get(
    "/team/lines", response=responses(200, TeamLinePage, 404, 422), summary="List the team's ledger entries"
)
def list_ledger_entries(
    request: ApiRequest, query: Query[LineSearch], before: pagination.BeforeNumber = None
) -> dict[str, Any]:
    """List the entries of the team's ledger that match the filters, newest first, 50 per page."""
    team = administrator(request, "see_spending").team
    form = LedgerFilterForm(query.model_dump(exclude_none=True))
    if not form.is_valid():
        raise v1_errors.from_form(form)
    last = get_object_or_404(Transfer, team=team, pk=before) if before else None
    names = members_query.member_names(team)
    page = reports_ledger.ledger_page(team, LedgerFilters(**form.cleaned_data), names, before=last)
    return {
        "items": [_line(row) for row in page.rows],
        "next": pagination.next_path(request, page.next_before),
    }


@router.get("/team/spending", response=responses(200, SpendingOut, 422), summary="Get a month's spending")
def get_spending(request: ApiRequest, query: Query[MonthIn]) -> dict[str, Any]:
    """Return what the team spent in a month by member and by model, and the credits that it has now."""
    team = administrator(request, "see_spending").team
    month = _month(team, query.month)
    books, balance = reports_overview.overview_books(team, month), reports_overview.team_balance(team)
    period = {"since": month.first, "until": month.last}
    pictures, refunded = reports_overview.picture_counts(books, **period)
    by_member = reports_overview.spending_by_member(books, month)
    by_model = reports_overview.spending(books, by=("model",), **period)
    names = members_query.member_names(team)
    return {
        "month": month.name,
        "pool": serializers.in_credits(balance.pool),
        "with_members": serializers.in_credits(balance.wallets),
        "held": serializers.in_credits(balance.held),
        "spent": serializers.in_credits(by_member.total()),
        "pictures": pictures,
        "refunded": refunded,
        "members": [
            {"id": pk, "name": names.get(pk, ""), "spent": serializers.in_credits(amount)}
            for pk, amount in by_member.most_common()
        ],
        "models": [
            {"model": model, "spent": serializers.in_credits(amount)}
            for (model,), amount in by_model.most_common()
        ],
    }


@router.get("/team/changes", response=responses(200, ChangePage, 404, 422), summary="List the audit log")
def list_audit_log(
    request: ApiRequest, query: Query[ChangeSearch], before: pagination.BeforeNumber = None
) -> dict[str, Any]:
    """List who changed what in the team, newest first, 50 per page. Entries are never changed."""
    form = audit_log_query.AuditLogFilter(
        query.model_dump(), team=administrator(request, "see_spending").team
    )
    if not form.is_valid():
        raise v1_errors.from_form(form)
    last = get_object_or_404(form.entries, pk=before) if before else None
    entries, older = audit_log_query.page(form.filtered(), last)
    return {"items": [_change(entry) for entry in entries], "next": pagination.next_path(request, older)}


def _month(team: Team, name: str) -> Month:
    """Return the named month, or the current one; ApiError (422) if it is invalid or in the future."""
    current = Month.of(periods.today(team))
    try:
        month = Month.named(name) if name else current
    except ValueError:
        month = current.next
    if month.first.year < 2000 or month > current:
        raise ApiError(422, "invalid", _("Give a month that has begun, such as 2026-11."), "month")
    return month


def _line(row: reports_ledger.LedgerRow) -> dict[str, Any]:
    entry = row.entry
    same = ("kind", "model", "note", "reference", "created_at")
    return {
        "number": entry.pk,
        **{name: getattr(entry, name) for name in same},
        "amount": serializers.in_credits(entry.amount),
        "source": entry.source.kind,
        "target": entry.target.kind,
        "member": {"id": entry.member_id, "name": row.member} if entry.member_id else None,
        "by": str(entry.actor) if entry.actor else None,
        "generation": row.generation,
    }


def _change(entry: AuditEntry) -> dict[str, Any]:
    actor, same = entry.actor, ("subject", "note", "before", "after", "address")
    return {
        "id": entry.pk,
        **{name: getattr(entry, name) for name in same},
        "what": entry.act,
        "who": {"id": actor.pk, "name": str(actor), "email": actor.email} if actor else None,
        "member": {"id": entry.member_id, "name": str(entry.member)} if entry.member_id else None,
        "sentence": audit_log_sentences.sentence(entry),
        "created_at": entry.at,
    }
