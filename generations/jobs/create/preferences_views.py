"""What a person's new pictures start with. It belongs to the person, not to a team."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from generations.jobs.create import context as create_context
from generations.teams.models import Visibility
from generations.teams.permissions import to_sign_in


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """Who sees my new pictures, unless I say otherwise on Create."""
    if not request.user.is_authenticated:
        return to_sign_in(request)
    wanted = request.POST.get("visibility", "")
    if request.method == "POST" and wanted in Visibility:
        create_context.set_default_visibility(request.user, Visibility(wanted))
        messages.success(request, _("Your choice is kept."))
        return redirect("choices:page")
    return render(request, "jobs/create/preferences.html", status=422 if request.method == "POST" else 200)
