"""The user's own settings of the library, which apply in every team."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from generations.jobs.create import context as create_context
from generations.teams.models import Visibility
from generations.teams.permissions import redirect_to_login


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """GET: the form. POST: set who sees the user's new images by default."""
    if not request.user.is_authenticated:
        return redirect_to_login(request)
    visibility = request.POST.get("visibility", "")
    if request.method == "POST" and visibility in Visibility:
        create_context.set_default_visibility(request.user, Visibility(visibility))
        messages.success(request, _("Your choice is kept."))
        return redirect("choices:page")
    return render(request, "jobs/create/preferences.html", status=422 if request.method == "POST" else 200)
