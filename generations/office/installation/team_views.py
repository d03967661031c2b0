"""The operators' pages of one team: making it, who is in it, closing and opening it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generations.office.audit_log import service as audit_log_service
from generations.office.installation import pools as installation_pools
from generations.office.installation.team_forms import AdmitForm, OwnedTeamForm
from generations.office.members import service as members_service
from generations.office.members import team_settings
from generations.teams import membership
from generations.teams.models import Kind, Team
from generations.teams.permissions import last_membership, operator_required


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@operator_required
def new_team(request: HttpRequest) -> HttpResponse:
    """Make a team for its owner."""
    form = OwnedTeamForm(request.POST or None, initial={"owner": getattr(request.user, "email", "")})
    if form.is_valid():
        try:
            team = team_settings.create(by=audit_log_service.actor_of(request), **form.cleaned_data)
        except membership.TeamExists as error:
            team = error.team
        messages.success(request, _("%(team)s is made.") % {"team": team})
        return redirect("operate:team", team.slug)
    context = {"member": last_membership(request.user), "form": form}
    return render(request, "office/installation/new_team.html", context, status=422 if form.is_bound else 200)


@require_safe
@never_cache
@operator_required
def team(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a team with its credits and its members."""
    return _page(request, get_object_or_404(Team, slug=slug))


@require_POST
@operator_required
def admit(request: HttpRequest, slug: str) -> HttpResponse:
    """Make a user a member of the team."""
    row = get_object_or_404(Team, slug=slug, deactivated_at=None)
    form = AdmitForm(request.POST)
    if form.is_valid():
        try:
            members_service.add_member(team=row, by=audit_log_service.actor_of(request), **form.cleaned_data)
        except membership.AlreadyMember as problem:
            form.add_error("user", str(problem))
        else:
            values = {"person": form.cleaned_data["user"], "team": row}
            messages.success(request, _("%(person)s is in %(team)s now.") % values)
            return redirect("operate:team", slug)
    return _page(request, row, admit_form=form)


@require_POST
@operator_required
def act(request: HttpRequest, slug: str, act: str) -> HttpResponse:
    """Close the team's pages, or open them again; nothing is deleted."""
    row, by = get_object_or_404(Team, slug=slug), audit_log_service.actor_of(request)
    if act == "close":
        team_settings.deactivate(team=row, by=by)
        messages.success(request, _("The pages of %(team)s are closed. Nothing is deleted.") % {"team": row})
    elif act == "open":
        team_settings.reactivate(team=row, by=by)
        messages.success(request, _("The pages of %(team)s are open again.") % {"team": row})
    else:
        raise Http404
    return redirect("operate:team", slug)


def _page(request: HttpRequest, row: Team, **forms: Any) -> HttpResponse:
    people = row.memberships.filter(ended_at=None, kind=Kind.PERSON).select_related("user", "wallet")
    context = {
        "member": last_membership(request.user),
        "team": row,
        "pool": installation_pools.pool_of(row),
        "people": people.order_by("user__email"),
        "admit_form": AdmitForm(),
    }
    return render(request, "office/installation/team.html", context | forms, status=422 if forms else 200)
