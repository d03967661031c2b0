"""Accepting an invitation at `/join/<token>/`, with the current account or a new one."""

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
from generations.office.invitations import service as invitations_service
from generations.teams import invitation_links, membership
from generations.teams import users as teams_users
from generations.teams.models import Invitation, User
from generations.teams.permissions import redirect_to_login


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Show what the invitation offers; accept it on POST.

    Counting a request writes to the database, so only those with the token of an invitation are counted.
    """
    try:
        found: Invitation | invitation_links.InvitationInvalid = invitation_links.find(token)
    except invitation_links.InvitationUnknown as error:
        return _refused(request, error)
    except invitation_links.InvitationInvalid as error:
        found = error
    response: HttpResponse = _respond(request, token, found)
    return response


@rate_limit(action="join", limit_get=True)  # type: ignore[untyped-decorator]  # allauth has no types
def _respond(
    request: HttpRequest, token: str, invitation: Invitation | invitation_links.InvitationInvalid
) -> HttpResponse:
    if isinstance(invitation, invitation_links.InvitationInvalid):
        return _refused(request, invitation)
    if not request.user.is_authenticated:
        return _signed_out(request, token, invitation)
    if request.method == "POST":
        return _accept(request, token, invitation)
    is_member = request.user.memberships.filter(team=invitation.team, ended_at=None).exists()
    if is_member:
        return redirect("jobs:create", invitation.team.slug)
    return _offer(request, token, invitation)


class JoinSignupView(SignupView):  # type: ignore[misc]  # allauth has no types
    """Sign up with an invitation, even where sign-up is closed, and become a member at once."""

    template_name = "office/invitations/join_account.html"
    http_method_names = ("get", "head", "post")

    @method_decorator(never_cache)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Redirect to the invitation if the user is signed in, or if the invited address has an account."""
        self.token = kwargs["token"]
        try:
            self.invitation = invitation_links.find(self.token)
        except invitation_links.InvitationInvalid as error:
            return _refused(request, error)
        if request.user.is_authenticated or _has_account(self.invitation):
            return redirect("people:join", self.token)
        return super().dispatch(request, *args, **kwargs)

    def is_open(self) -> bool:
        """Allow sign-up: `dispatch` has checked the invitation."""
        return True

    def get_form(self, form_class: Any = None) -> Any:
        """Fix the address of a mailed invitation to the one that it was mailed to."""
        form = super().get_form(form_class)
        if self.invitation.email:
            form.fields["email"].disabled = True
            form.initial["email"] = self.invitation.email
        return form

    def form_valid(self, form: Any) -> Any:
        """Create account and membership in one transaction.

        Without the membership if the address is unconfirmed.
        """
        if self.invitation.email:
            get_adapter().stash_verified_email(self.request, self.invitation.email)
        try:
            with transaction.atomic():
                response = super().form_valid(form)
                if not self.request.user.is_authenticated:
                    return response
                return _accept(self.request, self.token, self.invitation)
        except invitation_links.InvitationInvalid as error:
            self.request.session.flush()  # it refers to the account that was rolled back
            return _refused(self.request, error)

    def get_success_url(self) -> str:
        """Return to the invitation once the address is confirmed."""
        return reverse("people:join", args=[self.token])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the invitation."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"invitation": self.invitation, "token": self.token}


def _accept(request: HttpRequest, token: str, invitation: Invitation) -> HttpResponse:
    user = request.user
    assert isinstance(user, User)
    try:
        member = invitations_service.accept(token=token, user=user, by=audit_log_service.actor_of(request))
    except membership.AlreadyMember:
        return redirect("jobs:create", invitation.team.slug)
    except invitation_links.InvitationInvalid as error:
        if request.resolver_match and request.resolver_match.url_name == "join_account":
            raise
        return _refused(request, error)
    messages.success(request, _("Welcome to %(team)s.") % {"team": member.team})
    return redirect("teams:home")


def _offer(request: HttpRequest, token: str, invitation: Invitation) -> HttpResponse:
    try:
        invitation_links.check_recipient(invitation, request.user)  # type: ignore[arg-type]  # signed in, see above
    except invitation_links.WrongRecipient as error:
        return _refused(request, error)
    return render(request, "office/invitations/join.html", {"invitation": invitation, "token": token})


def _signed_out(request: HttpRequest, token: str, invitation: Invitation) -> HttpResponse:
    """Offer sign-in or sign-up; a form sent while signed out leads to the sign-in."""
    if request.method == "POST":
        return redirect_to_login(request)
    context = {"invitation": invitation, "token": token, "has_account": _has_account(invitation)}
    return render(request, "office/invitations/join.html", context)


def _has_account(invitation: Invitation) -> bool:
    """Whether the invited address has an account.

    Only the owner of the mailbox has the link and can see this.
    """
    return bool(invitation.email) and teams_users.is_email_taken(invitation.email)


def _refused(request: HttpRequest, error: invitation_links.InvitationInvalid) -> HttpResponse:
    """Show why the invitation cannot be used: 403, 404 for an unknown token, or 410."""
    if isinstance(error, invitation_links.WrongRecipient):
        status = 403
    else:
        status = 404 if isinstance(error, invitation_links.InvitationUnknown) else 410
    context = {"reason": str(error), "is_wrong_recipient": status == 403, "path": request.path}
    return render(request, "office/invitations/refused.html", context, status=status)
