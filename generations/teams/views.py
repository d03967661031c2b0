"""The home page, the page for a failed CSRF check, and the health check."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from generations.teams.permissions import last_membership, redirect_to_login


@require_safe
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """Redirect to Create in the last used team, or to the sign-in; show a page to a user without a team."""
    if not request.user.is_authenticated:
        return redirect_to_login(request)
    last = last_membership(request.user)
    if last is None:
        former = request.user.memberships.select_related("team").order_by("-ended_at").first()
        return render(request, "teams/no_team.html", {"former": former})
    return redirect("jobs:create", last.team.slug)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose CSRF token is no longer valid.

    Htmx reloads the page, which restores what was typed.
    """
    response = render(request, "teams/page_open_too_long.html", status=403)
    if request.headers.get("HX-Request"):
        response["HX-Refresh"] = "true"
    return response


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200: this process is alive."""
    return HttpResponse("ok\n", content_type="text/plain")
