"""The pages of a team's credits: overview, ledger, and the ledger's exports."""

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

from generations.core.exports import StreamedFile
from generations.credits import periods
from generations.credits.models import Transfer
from generations.credits.periods import Month
from generations.credits.totals import TeamTotals
from generations.office.installation import pools as installation_pools
from generations.office.members import query as members_query
from generations.office.models import AuditEntry
from generations.office.reports import holdings as reports_holdings
from generations.office.reports import ledger as reports_ledger
from generations.office.reports import ledger_export, members_table
from generations.office.reports import overview as reports_overview
from generations.office.reports.ledger import LedgerFilterForm, LedgerFilters
from generations.teams.models import Membership, Team
from generations.teams.permissions import member_required

LATEST_CHANGES = 4


@require_safe
@never_cache
@gzip_page
@member_required(may="see_spending")
def overview_page(request: HttpRequest, member: Membership) -> HttpResponse:
    """Show pool, spending, latest changes and members of a month; for htmx the chart alone."""
    month = _month(request, member.team)
    by = request.GET.get("by", "")
    by = by if by in reports_overview.GROUPINGS else reports_overview.GROUPINGS[0]
    books = reports_overview.overview_books(member.team, month)
    chart = reports_overview.spending_chart(books, month, by)
    context = {
        "member": member,
        "month": month,
        "by": by,
        "as_table": request.GET.get("as") == "table",
        "chart": chart,
        "today": periods.today(member.team),
    }
    if request.headers.get("HX-Target") == "spend":
        return render(request, "office/reports/overview.html#spend", context)
    context |= _overview_context(request, books, month, chart.total)
    return render(request, "office/reports/overview.html", context)


@require_safe
@never_cache
@gzip_page
@member_required(may="see_spending")
def ledger(request: HttpRequest, member: Membership) -> HttpResponse:
    """Show the entries that match the filters, a page at a time (`?before=`), and their totals."""
    form, names = LedgerFilterForm(request.GET), members_query.member_names(member.team)
    context: dict[str, Any] = {
        "member": member,
        "form": form,
        "models": reports_ledger.model_choices(),
        "member_options": reports_ledger.member_options(names, request.GET.get("member", "")),
    }
    if form.is_valid():
        filters = LedgerFilters(**form.cleaned_data)
        before = _get_entry(member.team, request.GET.get("before", ""))
        context |= {
            "page": reports_ledger.ledger_page(member.team, filters, names, before=before),
            "totals": reports_ledger.named_totals(filters.totals(member.team)),
            "query_string": form.query_string,
            "is_first": before is None,
        }
    return render(request, "office/reports/ledger.html", context)


@require_safe
@never_cache
@member_required(may="see_spending")
def ledger_csv(request: HttpRequest, member: Membership) -> HttpResponseBase:
    """Export all entries that match the filters as CSV."""
    return _export(request, member.team, ledger_export.csv_chunks, "csv", "text/csv")


@require_safe
@never_cache
@member_required(may="see_spending")
def ledger_json(request: HttpRequest, member: Membership) -> HttpResponseBase:
    """Export all entries that match the filters as JSON."""
    return _export(request, member.team, ledger_export.json_chunks, "json", "application/json")


def _overview_context(request: HttpRequest, books: TeamTotals, month: Month, spent: int) -> dict[str, Any]:
    """Return the context of the overview without its chart."""
    team, balance = books.team, reports_overview.team_balance(books.team)
    is_operator = bool(getattr(request.user, "is_staff", False))
    accounts = installation_pools.provider_accounts() if is_operator else []
    changes = AuditEntry.objects.filter(team=team).select_related("actor", "member__user")
    return {
        "balance": balance,
        "holdings": reports_holdings.holdings(team, balance),
        "balance_bar": reports_overview.balance_bar(balance, spent),
        "spent": spent,
        "balance_and_spent": balance.total + max(spent, 0),
        "spending": reports_overview.month_spending(books, month, balance, spent),
        "changes": changes.order_by("-at", "-pk")[:LATEST_CHANGES],
        "accounts": accounts,
        "is_covered": is_operator
        and installation_pools.is_covered(accounts, installation_pools.totals().outstanding),
        "table": members_table.members_table(
            books,
            reports_overview.spending_by_member(books, month),
            month=request.GET.get("month", ""),
            search=request.GET.get("q", "").replace("\0", "").strip()[:100],
            sort=request.GET.get("sort", ""),
            page=_parse_number(request.GET.get("page", ""), 1),
        ),
        "sorts": members_table.sort_titles(date_format(month.first, "MONTH_FORMAT")),
    }


def _month(request: HttpRequest, team: Team) -> Month:
    """Return the month of the query string, the present one by default; 404 for an invalid or future one."""
    present, name = Month.of(periods.today(team)), request.GET.get("month", "")
    if not name:
        return present
    try:
        month = Month.named(name)
    except ValueError:
        raise Http404 from None
    if month.first.year < 2000 or month > present:
        raise Http404
    return month


def _get_entry(team: Team, pk: str) -> Transfer | None:
    """Return the team's ledger entry with that primary key, None for an empty one; 404 if there is none."""
    if not pk:
        return None
    entry = Transfer.objects.filter(team=team, pk=_parse_number(pk, 0)).first()
    if entry is None:
        raise Http404
    return entry


def _parse_number(text: str, default: int) -> int:
    """Return the number if it is one that a database can hold, else the default."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else default


def _export(
    request: HttpRequest,
    team: Team,
    chunks: Callable[[Team, LedgerFilters], Iterator[str]],
    extension: str,
    content_type: str,
) -> HttpResponseBase:
    """Stream the file; redirect to the page, which shows the errors, if the filters are invalid."""
    form = LedgerFilterForm(request.GET)
    if not form.is_valid():
        page = reverse("office:ledger", args=[team.slug])
        return redirect(f"{page}?{_filter_parameters(request.GET).urlencode()}")
    filters = LedgerFilters(**form.cleaned_data)
    name = ledger_export.file_name(team, filters, extension)
    return StreamedFile(chunks(team, filters), name=name, content_type=content_type)


def _filter_parameters(query: QueryDict) -> QueryDict:
    """Return the filters of a query string without its other parameters."""
    filters = QueryDict(mutable=True)
    for name in LedgerFilterForm.base_fields:
        filters.setlist(name, query.getlist(name))
    return filters
