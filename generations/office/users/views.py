"""The operators' pages of users: the list, adding one, one user and what can be done with them."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generations.core import request_params
from generations.office.audit_log import service as audit_log_service
from generations.office.members.forms import SingleLineField
from generations.office.users import query as users_query
from generations.office.users import service as users_service
from generations.teams import users as teams_users
from generations.teams.models import User
from generations.teams.permissions import last_membership, operator_required


class UserForm(forms.Form):
    """A new user."""

    email = forms.EmailField(label=gettext_lazy("Email address"), max_length=254)
    name = SingleLineField(label=gettext_lazy("Name"), max_length=120, required=False)
    is_operator = forms.BooleanField(
        label=gettext_lazy("Runs the installation, as an operator"), required=False
    )


@require_safe
@never_cache
@operator_required
def user_list(request: HttpRequest) -> HttpResponse:
    """List the users, found by address or name."""
    words, page = request.GET.get("q", "")[:200], request_params.page_number(request)
    rows, has_more = users_query.user_page(words, page)
    context = {
        "member": last_membership(request.user),
        "rows": rows,
        "words": words,
        "page": page,
        "has_more": has_more,
    }
    return render(request, "office/users/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@operator_required
def new_user(request: HttpRequest) -> HttpResponse:
    """Add a user, and show the link on which they set a password."""
    form = UserForm(request.POST or None)
    if form.is_valid():
        try:
            user = users_service.add(by=audit_log_service.actor_of(request), **form.cleaned_data)
        except teams_users.EmailTaken as problem:
            form.add_error("email", str(problem))
        else:
            messages.success(request, _("%(person)s is added.") % {"person": user})
            return _with_link(request, user)
    context = {"member": last_membership(request.user), "form": form}
    return render(request, "office/users/new.html", context, status=422 if form.is_bound else 200)


@require_safe
@never_cache
@operator_required
def user(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one user: teams, when they were seen, and what can be done."""
    return _page(request, get_object_or_404(User, pk=pk))


@require_POST
@never_cache
@operator_required
def act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Do what a button says: deactivate, activate, promote, demote, or make a link for a new password."""
    person, by = get_object_or_404(User, pk=pk), audit_log_service.actor_of(request)
    name = {"person": person}
    try:
        if act == "deactivate":
            users_service.set_active(person, active=False, by=by)
            messages.success(request, _("%(person)s is deactivated and signed out everywhere.") % name)
        elif act == "activate":
            users_service.set_active(person, active=True, by=by)
            messages.success(request, _("%(person)s can sign in again.") % name)
        elif act == "promote":
            users_service.set_operator(person, operator=True, by=by)
            messages.success(request, _("%(person)s is an operator now.") % name)
        elif act == "demote":
            users_service.set_operator(person, operator=False, by=by)
            messages.success(request, _("%(person)s is no longer an operator.") % name)
        elif act == "link" and person.is_active:
            return _with_link(request, person)
        else:
            raise Http404
    except users_service.OwnAccount as problem:
        messages.error(request, str(problem))
    return redirect("operate:user", pk)


def _with_link(request: HttpRequest, person: User) -> HttpResponse:
    """The page of the user with a fresh link, which is shown this once."""
    link = users_service.reset_link(person, by=audit_log_service.actor_of(request))
    return _page(request, person, link=link)


def _page(request: HttpRequest, person: User, link: str = "") -> HttpResponse:
    memberships = person.memberships.filter(ended_at=None).select_related("team").order_by("team__name", "pk")
    context = {
        "member": last_membership(request.user),
        "person": person,
        "row": users_query.rows([person])[0],
        "memberships": memberships,
        "link": link,
        "is_own": person.pk == request.user.pk,
    }
    return render(request, "office/users/user.html", context)
