"""A user's teams: the list, creating one, the settings of a team, and leaving it."""

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
def my_teams(request: HttpRequest) -> HttpResponse:
    """List the teams of the user, with a button to leave each."""
    user = _user(request)
    rows = user.memberships.filter(ended_at=None, team__deactivated_at=None)
    context = {
        "memberships": rows.select_related("team").order_by("team__name", "pk"),
        "may_create": team_settings.may_create(user),
    }
    return render(request, "teams/mine.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@rate_limit(action="new_team")  # type: ignore[untyped-decorator]  # allauth has no types
def new_team(request: HttpRequest) -> HttpResponse:
    """Create a team that the user owns."""
    user = _user(request)
    if not team_settings.may_create(user):
        raise PermissionDenied(_("Only operators create teams here."))
    form = NewTeamForm(request.POST or None)
    if not form.is_valid():
        context = {"form": form, "member": last_membership(user)}
        return render(request, "teams/new.html", context, status=422 if form.is_bound else 200)
    try:
        team = team_settings.create(owner=user, by=audit_log_service.actor_of(request), **form.cleaned_data)
    except membership.TeamExists as error:
        return redirect("office:people", error.team.slug)
    messages.success(
        request, _("%(team)s is ready. Invite the people you make pictures with.") % {"team": team}
    )
    return redirect("office:people", team.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(may="manage_members")
def settings(request: HttpRequest, member: Membership) -> HttpResponse:
    """Edit name, time zone, and the balances below which members are notified."""
    row = Team.objects.get(
        pk=member.team_id
    )  # a copy: an invalid form must not change the name in the header
    form = TeamForm(request.POST or None, instance=row)
    if form.is_valid():
        team_settings.update(team=member.team, by=audit_log_service.actor_of(request), **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("office:settings", member.team.slug)
    status = 422 if form.is_bound else 200
    return render(
        request, "office/members/team_settings.html", {"member": member, "form": form}, status=status
    )


@require_POST
@member_required(may="see")
def leave(request: HttpRequest, member: Membership) -> HttpResponse:
    """End one's own membership; the last owner cannot."""
    try:
        members_service.leave(member=member, by=audit_log_service.actor_of(request))
    except membership.LastOwner as error:
        messages.error(request, str(error))
        return redirect("people:teams")
    messages.success(request, _("You left %(team)s.") % {"team": member.team})
    return redirect("people:teams")


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # @login_required
    return request.user
