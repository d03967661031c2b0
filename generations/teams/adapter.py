"""How allauth behaves here: nobody signs up by themselves, and an operator's word confirms an address.

Its rate limits count by REMOTE_ADDR, which uvicorn takes from X-Forwarded-For of TRUSTED_PROXIES alone.
"""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from generations.teams import people, recovery
from generations.teams.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are added by those who run the portal or a team."""
        return False

    def pre_login(self, request: HttpRequest, user: User, **about: Any) -> HttpResponse | None:
        """Without mail nobody could confirm an address, so who knows the password counts as confirmed."""
        if user.is_active and not settings.EMAIL_URL:
            people.confirm_address(user)
        refused: HttpResponse | None = super().pre_login(request, user, **about)
        return refused

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Under PUBLIC_URL, so that a forged Host header never gets into a mail."""
        return recovery.address_of(key)
