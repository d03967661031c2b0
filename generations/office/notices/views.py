"""The page of notice preferences, and dismissing a notice. Both belong to a user, not to a team."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from generations.office.notices import preferences as notices_preferences
from generations.office.notices import service as notices_service
from generations.office.notices.preferences import EMAIL, PAGE
from generations.teams.models import User
from generations.teams.permissions import redirect_to_login


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def preferences(request: HttpRequest) -> HttpResponse:
    """Choose the kinds of notices to get on pages and by email."""
    if not request.user.is_authenticated:
        return redirect_to_login(request)
    if request.method == "POST":
        enabled = {channel: request.POST.getlist(channel) for channel in notices_preferences.channels()}
        notices_preferences.save(request.user, enabled)
        messages.success(request, _("Your choice is saved."))
        return redirect("notices:choices")
    return render(request, "office/notices/preferences.html", {"rows": _rows(request.user)})


@require_POST
def dismiss(request: HttpRequest, notice: int) -> HttpResponse:
    """Dismiss a notice of the user until it is raised again."""
    if not request.user.is_authenticated:
        return redirect_to_login(request)
    row = get_object_or_404(notices_service.open_notices_of(request.user), pk=notice)
    notices_service.dismiss(notice=row, user=request.user)
    if request.headers.get("HX-Request"):
        return HttpResponse()
    next_url = request.POST.get("next", "")
    is_allowed = url_has_allowed_host_and_scheme(next_url, allowed_hosts={request.get_host()})
    return redirect(next_url if is_allowed else "teams:home")


def _rows(user: User) -> list[dict[str, object]]:
    """Return a table row for each kind of notice that the user can get."""
    return [
        {
            "kind": kind.value,
            "label": kind.label,
            "description": notices_preferences.DESCRIPTIONS[kind],
            PAGE: notices_preferences.wants(user, kind, PAGE),
            EMAIL: notices_preferences.wants(user, kind, EMAIL),
        }
        for kind in notices_preferences.kinds_for(user)
    ]
