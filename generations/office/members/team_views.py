"""Teams as a person has them: mine, a new one, a team's settings, leaving."""

from __future__ import annotations

from allauth.decorators import rate_limit
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generations.office.audit_log import service as audit_log_service
from generations.office.members import service as members_service
from generations.office.members import team_settings
from generations.office.members.forms import NewTeamForm, TeamForm
from generations.teams import membership
from generations.teams.models import Membership, Team, User
from generations.teams.permissions import last_membership, member_required


@require_safe
@never_cache
@login_required
def mine(request: HttpRequest) -> HttpResponse:
    """The teams that I am in, and the way out of each."""
    user = _user(request)
    rows = user.memberships.filter(ended_at=None, team__deactivated_at=None)
    context = {
        "memberships": rows.select_related("team").order_by("team__name", "pk"),
        "may_found": team_settings.may_found(user),
    }
    return render(request, "teams/mine.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@rate_limit(action="new_team")  # type: ignore[untyped-decorator]  # allauth has no types
def new(request: HttpRequest) -> HttpResponse:
    """A team of my own."""
    user = _user(request)
    if not team_settings.may_found(user):
        raise PermissionDenied(_("Only operators make teams here."))
    form = NewTeamForm(request.POST or None)
    if not form.is_valid():
        context = {"form": form, "member": last_membership(user)}
        return render(request, "teams/new.html", context, status=422 if form.is_bound else 200)
    try:
        team = team_settings.found(owner=user, by=audit_log_service.by(request), **form.cleaned_data)
    except membership.FoundedBefore as before:
        return redirect("office:people", before.team.slug)
    messages.success(
        request, _("%(team)s is ready. Invite the people you make pictures with.") % {"team": team}
    )
    return redirect("office:people", team.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(may="manage_members")
def settings(request: HttpRequest, member: Membership) -> HttpResponse:
    """Name, time zone, and below how much people are warned."""
    row = Team.objects.get(pk=member.team_id)  # another than the page's, which a wrong form must not rename
    form = TeamForm(request.POST or None, instance=row)
    if form.is_valid():
        team_settings.change(team=member.team, by=audit_log_service.by(request), **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("office:settings", member.team.slug)
    status = 422 if form.is_bound else 200
    return render(
        request, "office/members/team_settings.html", {"member": member, "form": form}, status=status
    )


@require_POST
@member_required(may="see")
def leave(request: HttpRequest, member: Membership) -> HttpResponse:
    """Go. The last owner cannot."""
    try:
        members_service.leave(member=member, by=audit_log_service.by(request))
    except membership.LastOwner as problem:
        messages.error(request, str(problem))
        return redirect("people:teams")
    messages.success(request, _("You left %(team)s.") % {"team": member.team})
    return redirect("people:teams")


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # @login_required
    return request.user
