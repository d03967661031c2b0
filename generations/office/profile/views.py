"""The page of a person's profile, for all of their teams."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from generations.office.profile import service as profile_service
from generations.office.profile.forms import ProfileForm
from generations.teams import language as teams_language
from generations.teams.permissions import last_membership, redirect_to_login


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """Show the profile; POST saves it. The language takes effect by Django's cookie."""
    if not request.user.is_authenticated:
        return redirect_to_login(request)
    member = last_membership(request.user)
    form = ProfileForm(request.POST or None, user=request.user, member=member)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "office/profile/page.html", {"form": form}, status=status)
    profile_service.save(request.user, **form.cleaned_data)
    messages.success(request, _("Saved."))
    response = redirect("profile:page")
    teams_language.remember(response, form.cleaned_data["language"])
    return response


@require_POST
def shortcuts(request: HttpRequest) -> HttpResponse:
    """Switch keys of one character on (`on=1`) or off, as the dialog of keys does."""
    if not request.user.is_authenticated:
        return redirect_to_login(request)
    profile_service.set_shortcuts(request.user, on=request.POST.get("on") == "1")
    return HttpResponse(status=204)
