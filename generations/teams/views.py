"""The front door: where a person goes first, and what the portal says when it cannot let one through."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from generations.teams.permissions import last_membership, to_sign_in


@require_safe
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """To Create in the team that I was in last; to the sign-in; or a page that says I have no team yet."""
    if not request.user.is_authenticated:
        return to_sign_in(request)
    last = last_membership(request.user)
    if last is None:
        return render(request, "teams/no_team.html")
    return redirect("jobs:create", last.team.slug)


def page_was_open_too_long(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form came with a token that is no longer good: load the page again, what was typed is kept there."""
    response = render(request, "teams/page_open_too_long.html", status=403)
    if request.headers.get("HX-Request"):
        response["HX-Refresh"] = "true"
    return response


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return HttpResponse("ok\n", content_type="text/plain")
