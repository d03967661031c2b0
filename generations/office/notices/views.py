"""What a person is told and how, and putting one notice away. Both belong to a person, not to a team."""

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
from generations.teams.permissions import to_sign_in


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def choices(request: HttpRequest) -> HttpResponse:
    """Which notices I want, on pages and by email."""
    if not request.user.is_authenticated:
        return to_sign_in(request)
    if request.method == "POST":
        sent = {way: request.POST.getlist(way) for way in notices_preferences.ways()}
        notices_preferences.choose(request.user, sent)
        messages.success(request, _("Your choice is kept."))
        return redirect("notices:choices")
    return render(request, "office/notices/preferences.html", {"rows": _rows(request.user)})


@require_POST
def dismiss(request: HttpRequest, notice: int) -> HttpResponse:
    """Put one of mine away, until it is raised anew."""
    if not request.user.is_authenticated:
        return to_sign_in(request)
    row = get_object_or_404(notices_service.of_person(request.user), pk=notice)
    notices_service.dismiss(notice=row, user=request.user)
    if request.headers.get("HX-Request"):
        return HttpResponse()
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return redirect(back if is_ours else "teams:home")


def _rows(user: User) -> list[dict[str, object]]:
    """A line for each kind that can concern the person."""
    return [
        {
            "kind": kind.value,
            "label": kind.label,
            "explained": notices_preferences.EXPLAINED[kind],
            PAGE: notices_preferences.wants(user, kind, PAGE),
            EMAIL: notices_preferences.wants(user, kind, EMAIL),
        }
        for kind in notices_preferences.kinds_for(user)
    ]
