"""How allauth behaves here: who may sign up, whose address counts as confirmed, what mails link to.

Its rate limits count by REMOTE_ADDR, which uvicorn takes from X-Forwarded-For of TRUSTED_PROXIES alone.
"""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from generations.teams import password_reset
from generations.teams.models import User
from generations.teams.sessions import service as sessions_service

UNKNOWN = "0.0.0.0"  # noqa: S104  an address that nobody has; a socket file has no other


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Only where SIGN_UP says so; who is invited signs up on the page of the invitation."""
        return bool(settings.SIGN_UP == "open")

    def pre_login(self, request: HttpRequest, user: User, **about: Any) -> HttpResponse | None:
        """The place where the person signs in is one more of theirs."""
        sessions_service.make_room(user)
        refused: HttpResponse | None = super().pre_login(request, user, **about)
        return refused

    def get_client_ip(self, request: HttpRequest) -> str:
        """Who speaks to us; one for all who come without an address."""
        try:
            return str(super().get_client_ip(request))
        except PermissionDenied:
            return UNKNOWN

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Under PUBLIC_URL, so that a forged Host header never gets into a mail."""
        return password_reset.address_of(key)

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """Under PUBLIC_URL as well."""
        return f"{settings.PUBLIC_URL}{reverse('account_confirm_email', args=[emailconfirmation.key])}"

    def send_account_already_exists_mail(self, email: str) -> None:
        """With the way to a new password, under PUBLIC_URL as well."""
        address = f"{settings.PUBLIC_URL}{reverse('account_reset_password')}"
        self.send_mail("account/email/account_already_exists", email, {"password_reset_url": address})

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """With the portal's own address, once all is committed: no lock waits for a mail server.

        One that is away is written in the log; the answer tells nobody, so none says who is here.
        """
        about = {"portal_url": settings.PUBLIC_URL} | context

        def send() -> None:
            super(AccountAdapter, self).send_mail(template_prefix, email, about)

        transaction.on_commit(send, robust=True)
