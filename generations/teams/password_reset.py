"""Links on which a user sets a new password."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse

from generations.teams.models import User


def reset_url(user: User) -> str:
    """Return the URL on which the user sets a password; valid once, within PASSWORD_RESET_TIMEOUT seconds."""
    return reset_url_from_key(f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}")


def reset_url_from_key(key: str) -> str:
    """Return the URL for an allauth key, under PUBLIC_URL whatever the Host header of the request."""
    user, _, token = key.partition("-")
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user, "key": token})
    return f"{settings.PUBLIC_URL}{path}"
