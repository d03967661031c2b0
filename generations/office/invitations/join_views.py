"""The door that an invitation opens: `/join/<token>/`, for who is signed in, and with a new account."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.views import SignupView
from allauth.decorators import rate_limit
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from generations.office.audit_log import service as audit_log_service
from generations.office.invitations.service import accept
from generations.teams import invitations, membership
from generations.teams import users as teams_users
from generations.teams.models import Invitation, User
from generations.teams.permissions import to_sign_in


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@rate_limit(action="join", limit_get=True)  # type: ignore[untyped-decorator]  # allauth has no types
def join(request: HttpRequest, token: str) -> HttpResponse:
    """What the invitation offers and a button; pressed, the person is in."""
    try:
        invitation = invitations.find(token)
    except invitations.InvitationRefused as problem:
        return _refused(request, problem)
    if not request.user.is_authenticated:
        return _signed_out(request, token, invitation)
    if request.method == "POST":
        return _come_in(request, token, invitation)
    present = request.user.memberships.filter(team=invitation.team, ended_at=None).exists()
    if present:
        return redirect("jobs:create", invitation.team.slug)
    return _offer(request, token, invitation)


class NewAccount(SignupView):  # type: ignore[misc]  # allauth has no types
    """An account made with an invitation, wherever sign-up is closed; with it the person is in."""

    template_name = "office/invitations/join_account.html"
    http_method_names = ("get", "head", "post")

    @method_decorator(never_cache)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """For who is signed in, and for an account that is there, the page of the invitation itself."""
        self.token = kwargs["token"]
        try:
            self.invitation = invitations.find(self.token)
        except invitations.InvitationRefused as problem:
            return _refused(request, problem)
        if request.user.is_authenticated or _has_account(self.invitation):
            return redirect("people:join", self.token)
        return super().dispatch(request, *args, **kwargs)

    def is_open(self) -> bool:
        """The invitation was looked at."""
        return True

    def get_form(self, form_class: Any = None) -> Any:
        """The address of a mailed invitation is not typed: it is the one that it was mailed to."""
        form = super().get_form(form_class)
        if self.invitation.email:
            form.fields["email"].disabled = True
            form.initial["email"] = self.invitation.email
        return form

    def form_valid(self, form: Any) -> Any:
        """The account, and in its transaction the membership, unless its address is still to be confirmed."""
        if self.invitation.email:
            get_adapter().stash_verified_email(self.request, self.invitation.email)
        try:
            with transaction.atomic():
                response = super().form_valid(form)
                if not self.request.user.is_authenticated:
                    return response
                return _come_in(self.request, self.token, self.invitation)
        except invitations.InvitationRefused as problem:
            self.request.session.flush()  # it speaks of an account that was not made
            return _refused(self.request, problem)

    def get_success_url(self) -> str:
        """Back to the invitation once the address is confirmed."""
        return reverse("people:join", args=[self.token])

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        """What is offered stands beside the form."""
        about: dict[str, Any] = super().get_context_data(**more)
        return about | {"invitation": self.invitation, "token": self.token}


def _come_in(request: HttpRequest, token: str, invitation: Invitation) -> HttpResponse:
    user = request.user
    assert isinstance(user, User)
    try:
        member = accept(token=token, user=user, by=audit_log_service.by(request))
    except membership.AlreadyIn:
        return redirect("jobs:create", invitation.team.slug)
    except invitations.InvitationRefused as problem:
        if request.resolver_match and request.resolver_match.url_name == "join_account":
            raise
        return _refused(request, problem)
    messages.success(request, _("Welcome to %(team)s.") % {"team": member.team})
    return redirect("teams:home")


def _offer(request: HttpRequest, token: str, invitation: Invitation) -> HttpResponse:
    try:
        invitations.must_be_for(invitation, request.user)  # type: ignore[arg-type]  # signed in, see above
    except invitations.ForSomebodyElse as problem:
        return _refused(request, problem)
    return render(request, "office/invitations/join.html", {"invitation": invitation, "token": token})


def _signed_out(request: HttpRequest, token: str, invitation: Invitation) -> HttpResponse:
    """To the sign-in if the account is there, or sent a form while signed out; else the choice."""
    if request.method == "POST":
        return to_sign_in(request)
    context = {"invitation": invitation, "token": token, "has_account": _has_account(invitation)}
    return render(request, "office/invitations/join.html", context)


def _has_account(invitation: Invitation) -> bool:
    """Who holds a mailed invitation reads that mailbox, so this tells nobody else."""
    return bool(invitation.email) and teams_users.is_taken(invitation.email)


def _refused(request: HttpRequest, problem: invitations.InvitationRefused) -> HttpResponse:
    """One page and one sentence; a wrong token looks like none that ever was."""
    if isinstance(problem, invitations.ForSomebodyElse):
        status = 403
    else:
        status = 404 if isinstance(problem, invitations.NoSuchInvitation) else 410
    context = {"sentence": str(problem), "is_for_another": status == 403, "path": request.path}
    return render(request, "office/invitations/refused.html", context, status=status)
