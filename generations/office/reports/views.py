"""What owners and administrators see of their team's credits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from generations.core.streaming_response import Streamed
from generations.credits import periods
from generations.credits.models import Transfer
from generations.credits.periods import Month
from generations.credits.totals import TeamTotals
from generations.office.installation import pools as installation_pools
from generations.office.members import names as members_names
from generations.office.models import AuditEntry
from generations.office.reports import ledger as reports_ledger
from generations.office.reports import ledger_export, members_table
from generations.office.reports import overview as reports_overview
from generations.office.reports.ledger import Filters, LedgerFilter
from generations.teams.models import Membership, Team
from generations.teams.permissions import member_required

CHANGES = 4


@require_safe
@never_cache
@gzip_page
@member_required(may="spend_see")
def overview_page(request: HttpRequest, member: Membership) -> HttpResponse:
    """The pool, the month's spending, the latest changes and the members; or the part that a script wants."""
    month = _month(request, member.team)
    by = request.GET.get("by", "")
    by = by if by in reports_overview.BY else reports_overview.BY[0]
    books = reports_overview.books(member.team, month)
    chart = reports_overview.chart(books, month, by)
    shown = {
        "member": member,
        "month": month,
        "by": by,
        "as_table": request.GET.get("as") == "table",
        "chart": chart,
        "today": periods.today(member.team),
    }
    if request.headers.get("HX-Target") == "spend":
        return render(request, "office/reports/overview.html#spend", shown)
    return render(
        request, "office/reports/overview.html", shown | _figures(request, books, month, chart.total)
    )


@require_safe
@never_cache
@gzip_page
@member_required(may="spend_see")
def ledger(request: HttpRequest, member: Membership) -> HttpResponse:
    """The team's lines, filtered, a page at a time (`?before=`), and what all of them come to."""
    form, names = LedgerFilter(request.GET), members_names.names(member.team)
    context: dict[str, Any] = {
        "member": member,
        "form": form,
        "models": reports_ledger.models(),
        "people": reports_ledger.options(names, request.GET.get("member", "")),
    }
    if form.is_valid():
        filters = Filters(**form.cleaned_data)
        before = _line(member.team, request.GET.get("before", ""))
        context |= {
            "page": reports_ledger.read(member.team, filters, names, before=before),
            "totals": reports_ledger.named(filters.totals(member.team)),
            "query": form.query,
            "is_first": before is None,
        }
    return render(request, "office/reports/ledger.html", context)


@require_safe
@never_cache
@member_required(may="spend_see")
def ledger_csv(request: HttpRequest, member: Membership) -> HttpResponseBase:
    """All lines that pass the filters, for a spreadsheet."""
    return _file(request, member.team, ledger_export.csv_pieces, "csv", "text/csv")


@require_safe
@never_cache
@member_required(may="spend_see")
def ledger_json(request: HttpRequest, member: Membership) -> HttpResponseBase:
    """All lines that pass the filters, for programs."""
    return _file(request, member.team, ledger_export.json_pieces, "json", "application/json")


def _figures(request: HttpRequest, books: TeamTotals, month: Month, spent: int) -> dict[str, Any]:
    """All of the overview but its chart."""
    team, now = books.team, reports_overview.standing(books.team)
    is_operator = bool(getattr(request.user, "is_staff", False))
    accounts = installation_pools.provider_accounts() if is_operator else []
    changes = AuditEntry.objects.filter(team=team).select_related("actor", "member__user")
    return {
        "standing": now,
        "shares": reports_overview.shares(now, spent),
        "spent": spent,
        "whole": now.everything + max(spent, 0),
        "pace": reports_overview.pace(books, month, now, spent),
        "changes": changes.order_by("-at", "-pk")[:CHANGES],
        "accounts": accounts,
        "covers": installation_pools.covers(accounts, installation_pools.whole().given_out)
        if is_operator
        else False,
        "table": members_table.read(
            books,
            reports_overview.by_member(books, month),
            month=request.GET.get("month", ""),
            search=request.GET.get("q", "").replace("\0", "").strip()[:100],
            sort=request.GET.get("sort", ""),
            page=_number(request.GET.get("page", ""), 1),
        ),
        "sorts": members_table.sort_titles(date_format(month.first, "F")),
    }


def _month(request: HttpRequest, team: Team) -> Month:
    """The one that the address names, at most the present one; 404 for what is none."""
    this, name = Month.of(periods.today(team)), request.GET.get("month", "")
    if not name:
        return this
    try:
        asked = Month.named(name)
    except ValueError:
        raise Http404 from None
    if asked.first.year < 2000 or asked > this:
        raise Http404
    return asked


def _line(team: Team, number: str) -> Transfer | None:
    """The team's line of that number, to go on from; 404 for any other."""
    if not number:
        return None
    line = Transfer.objects.filter(team=team, pk=_number(number, 0)).first()
    if line is None:
        raise Http404
    return line


def _number(text: str, otherwise: int) -> int:
    """The number that an address names, if it is one that a database can hold."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else otherwise


def _file(
    request: HttpRequest,
    team: Team,
    pieces: Callable[[Team, Filters], Iterator[str]],
    ending: str,
    content_type: str,
) -> HttpResponseBase:
    """The lines as a file; back to the page, which says why, if the filters are none."""
    form = LedgerFilter(request.GET)
    if not form.is_valid():
        page = reverse("office:ledger", args=[team.slug])
        return redirect(f"{page}?{_copy(request.GET).urlencode()}")
    filters = Filters(**form.cleaned_data)
    name = ledger_export.file_name(team, filters, ending)
    return Streamed(pieces(team, filters), name=name, content_type=content_type)


def _copy(given: QueryDict) -> QueryDict:
    """The filters alone, without what else an address carries."""
    kept = QueryDict(mutable=True)
    for name in LedgerFilter.base_fields:
        kept.setlist(name, given.getlist(name))
    return kept
