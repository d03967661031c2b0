"""The page of a member's own credits, and its lines as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from generations.core import exports
from generations.core.exports import StreamedFile
from generations.credits import accounts, caps, periods
from generations.credits import statement as credits_statement
from generations.credits.models import Account, TransferKind
from generations.credits.periods import Month
from generations.credits.statement import HELD, RELEASED, StatementEntry, StatementFilter
from generations.office.credits import allowances, statement_lines
from generations.office.credits import requests as credit_requests
from generations.teams.models import Membership
from generations.teams.permissions import member_required

COLUMNS = (
    "time",
    "kind",
    "credits",
    "held",
    "model",
    "prompt",
    "why_not_charged",
    "note",
    "by",
    "batch",
    "generation",
    "line",
)


@require_safe
@never_cache
@member_required(may="see")
def statement(request: HttpRequest, member: Membership) -> HttpResponse:
    """Show balance, caps, allowance and lines, a page at a time (`?kind=&month=&before=`)."""
    wallet, chosen = accounts.open_wallet(member), _filter(request, member)
    name = request.GET.get("before", "")
    before = credits_statement.position(member, name)
    if name and before is None:
        raise Http404
    entries: list[StatementEntry] = []
    older = ""
    if chosen.kind != HELD:
        entries, older = credits_statement.page(member, wallet, chosen=chosen, before=before)
    open_holds = credits_statement.held(wallet) if _shows_open_holds(chosen) and not before else []
    shown = statement_lines.shown_entries(member, [*open_holds, *entries])
    if older:
        shown = statement_lines.without_cut_line(shown)
        older = shown[-1].entry.position.name
    query = request.GET.copy()
    query.pop("before", None)
    context = {
        "member": member,
        "wallet": wallet,
        "lines": statement_lines.folded(shown),
        "older": older,
        "query": query.urlencode(),
        "is_first": before is None,
        "chosen": chosen,
        "kinds": _kind_choices(),
        "months": _months(member),
        "totals": _totals(member, chosen),
        **_limits(member, wallet),
    }
    return render(request, "office/credits/statement.html", context)


@require_safe
@never_cache
@member_required(may="see")
def statement_csv(request: HttpRequest, member: Membership) -> HttpResponseBase:
    """Export the member's own lines that match the filters, newest first."""
    chosen = _filter(request, member)
    parts = [member.team.slug, *([chosen.month.name] if chosen.month else []), *filter(None, [chosen.kind])]
    return StreamedFile(_csv(member, chosen), name=f"credits-{'-'.join(parts)}.csv")


def _filter(request: HttpRequest, member: Membership) -> StatementFilter:
    """Return the filters of the query string, without those that mean nothing."""
    kind, month = request.GET.get("kind", ""), None
    try:
        month = Month.named(request.GET.get("month", ""))
    except ValueError:
        month = None
    if month and not 2000 <= month.first.year < 2200:
        month = None
    return StatementFilter(kind if kind in dict(_kind_choices()) else "", month)


def _shows_open_holds(chosen: StatementFilter) -> bool:
    return chosen.month is None and chosen.kind in {"", HELD}


def _kind_choices() -> list[tuple[str, str]]:
    """Return the kinds of lines that a member has, as the filter names them."""
    return [
        (TransferKind.CHARGE.value, _("Pictures")),
        (RELEASED, _("Not charged")),
        (HELD, _("Held now")),
        (TransferKind.REFUND.value, _("Refunds")),
        (TransferKind.GRANT.value, _("Grants")),
        (TransferKind.ALLOWANCE.value, _("Allowance")),
        (TransferKind.TAKE_BACK.value, _("Taken back")),
        (TransferKind.ADJUSTMENT.value, _("Adjustments")),
    ]


def _months(member: Membership) -> list[Month]:
    """Return the months of the membership, the present one first; two years of them at most."""
    month = Month.of(periods.today(member.team))
    first = Month.of(periods.today(member.team, member.joined_at))
    earliest = member.transfers.order_by("created_at", "pk").values_list("created_at", flat=True).first()
    if earliest:  # before the membership was resumed
        first = min(first, Month.of(periods.today(member.team, earliest)))
    months = [month]
    while months[-1] > first and len(months) < 24:
        months.append(months[-1].previous)
    return months


def _totals(member: Membership, chosen: StatementFilter) -> dict[str, Any]:
    """Return the sums of the chosen month or of all time by kind, or of the chosen kind alone."""
    totals = credits_statement.totals(member, chosen.month)
    labels = dict(_kind_choices())
    rows = [
        (kind, labels.get(kind, kind), totals.by_kind[kind])
        for kind in TransferKind.values
        if totals.by_kind.get(kind) and chosen.kind in {"", kind}
    ]
    return {"opening": totals.opening, "rows": rows, "closing": totals.closing}


def _limits(member: Membership, wallet: Account) -> dict[str, Any]:
    """Return the caps and the allowance with their dates, and whether more can be asked for."""
    limits = caps.Limits(member, member.cap_per_day, member.cap_per_month)
    return {
        "caps": caps.usage(limits, wallet),
        "allowance": allowances.upcoming(member),
        "may_ask": credit_requests.may_ask(member),
        "waiting": credit_requests.open_request(member),
    }


def _csv(member: Membership, chosen: StatementFilter) -> Iterator[str]:
    yield exports.BYTE_ORDER_MARK + exports.csv_text([COLUMNS])
    wallet, zone = accounts.open_wallet(member), ZoneInfo(member.team.time_zone)
    if _shows_open_holds(chosen):
        yield _csv_rows(credits_statement.held(wallet), zone)
    if chosen.kind != HELD:
        for entries in credits_statement.chunks(member, wallet, chosen):
            yield _csv_rows(entries, zone)


def _csv_rows(entries: list[StatementEntry], zone: ZoneInfo) -> str:
    generations = statement_lines.generations_of(entries)
    rows = []
    for entry in entries:
        row = generations.get(entry.reference) if entry.generation else None
        texts = (
            entry.model,
            row.prompt if row else "",
            statement_lines.why_not_charged(entry, row),
            entry.note,
            entry.actor,
        )
        is_held = entry.state == HELD
        rows.append(
            (
                entry.created_at.astimezone(zone).isoformat(timespec="seconds"),
                entry.state,
                0 if is_held else entry.amount / 100,
                -entry.amount / 100 if is_held else 0,
                *map(exports.escape_formulas, texts),
                row.batch_id if row else "",
                entry.generation or "",
                entry.transfer_id or "",
            )
        )
    return exports.csv_text(rows)
