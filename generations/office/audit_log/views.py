"""The pages of the audit log: a team's for those who run it, all of it for operators."""

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
@member_required(may="spend_see")
def of_team(request: HttpRequest, member: Membership) -> HttpResponse:
    """Who changed what in my team (`?who=&what=&first=&last=&before=`)."""
    context = _shown(request, audit_log_query.ChangesForm(request.GET, team=member.team))
    return render(request, "office/audit_log/team.html", context | {"member": member})


@require_safe
@never_cache
@member_required(may="spend_see")
def of_team_csv(request: HttpRequest, member: Membership) -> HttpResponseBase:
    """The same as a table to keep."""
    form = audit_log_query.ChangesForm(request.GET, team=member.team)
    return _table(form, f"changes-{member.team.slug}")


@require_safe
@never_cache
@gzip_page
@operator_required
def of_installation(request: HttpRequest) -> HttpResponse:
    """Who changed what, in every team and in the installation itself."""
    context = _shown(request, audit_log_query.ChangesForm(request.GET, team=None))
    return render(
        request, "office/audit_log/installation.html", context | {"member": last_membership(request.user)}
    )


@require_safe
@never_cache
@operator_required
def of_installation_csv(request: HttpRequest) -> HttpResponseBase:
    """The same as a table to keep."""
    return _table(audit_log_query.ChangesForm(request.GET, team=None), "changes")


def _shown(request: HttpRequest, form: audit_log_query.ChangesForm) -> dict[str, Any]:
    found = form.found()
    before = _landmark(form, request.GET.get("before", ""))
    entries, older = audit_log_query.page(found, before)
    query = request.GET.copy()
    query.pop("before", None)
    return {
        "form": form,
        "entries": entries,
        "older": older,
        "begun": before is not None,
        "query": query.urlencode(),
    }


def _landmark(form: audit_log_query.ChangesForm, number: str) -> AuditEntry | None:
    """The entry to go on from; 404 for one that is not of this log."""
    if not number:
        return None
    known = number.isascii() and number.isdecimal() and len(number) < 19
    found = form.entries.filter(pk=int(number)).first() if known else None
    if found is None:
        raise Http404
    return found


def _table(form: audit_log_query.ChangesForm, name: str) -> HttpResponseBase:
    today = timezone.localdate(timezone=form.zone)
    return StreamedFile(audit_log_query.table(form), name=f"{name}-{today:%Y-%m-%d}.csv")
