"""Pages and CSV exports of the audit log: of a team for its administrators, of all teams for operators."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from generations.core.exports import StreamedFile
from generations.office.audit_log import query as audit_log_query
from generations.office.models import AuditEntry
from generations.teams.models import Membership
from generations.teams.permissions import last_membership, member_required, operator_required


@require_safe
@never_cache
@gzip_page
@member_required(may="see_spending")
def team_page(request: HttpRequest, member: Membership) -> HttpResponse:
    """Show the audit log of the team (`?who=&what=&first=&last=&before=`)."""
    context = _page_context(request, audit_log_query.AuditLogFilter(request.GET, team=member.team))
    return render(request, "office/audit_log/team.html", context | {"member": member})


@require_safe
@never_cache
@member_required(may="see_spending")
def team_csv(request: HttpRequest, member: Membership) -> HttpResponseBase:
    """Export the filtered audit log as CSV."""
    form = audit_log_query.AuditLogFilter(request.GET, team=member.team)
    return _csv(form, f"changes-{member.team.slug}")


@require_safe
@never_cache
@gzip_page
@operator_required
def installation_page(request: HttpRequest) -> HttpResponse:
    """Show the audit log of all teams and of the installation."""
    context = _page_context(request, audit_log_query.AuditLogFilter(request.GET, team=None))
    return render(
        request, "office/audit_log/installation.html", context | {"member": last_membership(request.user)}
    )


@require_safe
@never_cache
@operator_required
def installation_csv(request: HttpRequest) -> HttpResponseBase:
    """Export the filtered audit log as CSV."""
    return _csv(audit_log_query.AuditLogFilter(request.GET, team=None), "changes")


def _page_context(request: HttpRequest, form: audit_log_query.AuditLogFilter) -> dict[str, Any]:
    entries = form.filtered()
    before = _entry_or_404(form, request.GET.get("before", ""))
    shown, older = audit_log_query.page(entries, before)
    query = request.GET.copy()
    query.pop("before", None)
    return {
        "form": form,
        "entries": shown,
        "older": older,
        "is_first_page": before is None,
        "query": query.urlencode(),
    }


def _entry_or_404(form: audit_log_query.AuditLogFilter, number: str) -> AuditEntry | None:
    """Return the entry after which the page continues; 404 for one that is not in this log."""
    if not number:
        return None
    is_key = number.isascii() and number.isdecimal() and len(number) < 19
    entry = form.entries.filter(pk=int(number)).first() if is_key else None
    if entry is None:
        raise Http404
    return entry


def _csv(form: audit_log_query.AuditLogFilter, name: str) -> HttpResponseBase:
    today = timezone.localdate(timezone=form.time_zone)
    return StreamedFile(audit_log_query.csv_lines(form), name=f"{name}-{today:%Y-%m-%d}.csv")
