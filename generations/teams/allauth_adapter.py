"""Allauth in this portal: whether sign-up is open, how many sessions a user has, and what mails link to.

Its rate limits count by REMOTE_ADDR, which uvicorn takes from X-Forwarded-For of TRUSTED_PROXIES alone.
"""

from collections.abc import Callable
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from generations.teams import language as teams_language
from generations.teams import password_reset
from generations.teams.models import User
from generations.teams.sessions import service as sessions_service

UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104  no client has this address; requests by Unix socket have none


def head_middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Have allauth take HEAD for GET; its rate limits, which write to the database, take it for a form.

    The server leaves out the body.
    """

    def respond(request: HttpRequest) -> HttpResponseBase:
        if request.method == "HEAD" and request.path_info.startswith("/accounts/"):
            request.method = "GET"
        return get_response(request)

    return respond


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether SIGN_UP is open. Invited people sign up on the page of their invitation instead."""
        return bool(settings.SIGN_UP == "open")

    def pre_login(self, request: HttpRequest, user: User, **about: Any) -> HttpResponse | None:
        """Make room for one more session of the user."""
        sessions_service.enforce_session_limit(user)
        refused: HttpResponse | None = super().pre_login(request, user, **about)
        return refused

    def post_login(self, request: HttpRequest, user: User, **about: Any) -> HttpResponse:
        """Show the pages in the language that the user chose, also in a new browser."""
        response: HttpResponse = super().post_login(request, user, **about)
        if user.language:
            teams_language.remember(response, user.language)
        return response

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the client's address; the same placeholder for all clients without one."""
        try:
            return str(super().get_client_ip(request))
        except PermissionDenied:
            return UNKNOWN_ADDRESS

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return the URL under PUBLIC_URL, so that a forged Host header never gets into a mail."""
        return password_reset.reset_url_from_key(key)

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """Return the URL under PUBLIC_URL, for the same reason."""
        return f"{settings.PUBLIC_URL}{reverse('account_confirm_email', args=[emailconfirmation.key])}"

    def send_account_already_exists_mail(self, email: str) -> None:
        """Include the URL for a new password, under PUBLIC_URL for the same reason."""
        address = f"{settings.PUBLIC_URL}{reverse('account_reset_password')}"
        self.send_mail("account/email/account_already_exists", email, {"password_reset_url": address})

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send after the commit, so that no lock is held while the mail server answers.

        A failure is only logged: the response must not reveal whether there is an account.
        """
        full_context = {"portal_url": settings.PUBLIC_URL} | context

        def send() -> None:
            super(AccountAdapter, self).send_mail(template_prefix, email, full_context)

        transaction.on_commit(send, robust=True)
