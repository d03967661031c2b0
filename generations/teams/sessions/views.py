"""The page of a user's sessions, and ending them."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from generations.teams.models import User
from generations.teams.sessions import service as sessions_service


@require_safe
@never_cache
@login_required
def session_list(request: HttpRequest) -> HttpResponse:
    """Show the user's sessions, the current one first."""
    sessions = sessions_service.list_sessions(_user(request), this=request.session.session_key)
    return render(request, "account/sessions.html", {"sessions": sessions})


@require_POST
@login_required
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End one session; another user's session counts as ended."""
    if sessions_service.end(_user(request), pk=pk):
        messages.success(request, _("You are signed out there."))
    else:
        messages.info(request, _("That session had ended."))
    return redirect("teams:sessions")


@require_POST
@login_required
def end_others(request: HttpRequest) -> HttpResponse:
    """End all sessions except the current one."""
    count = sessions_service.end_others(_user(request), this=request.session.session_key)
    message = ngettext(
        "You are signed out in %(count)s place.", "You are signed out in %(count)s places.", count
    )
    messages.success(request, message % {"count": count})
    return redirect("teams:sessions")


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # @login_required
    return request.user
