"""A way back in for who has no password, or forgot it."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse

from generations.teams.models import User


def reset_link(user: User) -> str:
    """The address on which the person sets a password; good once, for PASSWORD_RESET_TIMEOUT."""
    return address_of(f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}")


def address_of(key: str) -> str:
    """The page for that key under PUBLIC_URL, whatever host the request asked for."""
    user, _, token = key.partition("-")
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user, "key": token})
    return f"{settings.PUBLIC_URL}{path}"
