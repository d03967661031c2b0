"""Secrets at rest: Fernet, with as many keys as it takes to rotate them (ENCRYPTION_KEYS, newest first)."""

from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _


class Unreadable(ValueError):
    """A secret that no key of ENCRYPTION_KEYS opens; says what an operator can do."""


@cache
def _keys(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise ImproperlyConfigured(
            "ENCRYPTION_KEYS holds something that is no Fernet key: 32 bytes, base64 for URLs."
        ) from None


def encrypt(secret: str) -> str:
    """The secret, readable again only with one of ENCRYPTION_KEYS."""
    return _keys(tuple(settings.ENCRYPTION_KEYS)).encrypt(secret.encode()).decode() if secret else ""


def decrypt(token: str) -> str:
    """The secret in clear; Unreadable if no key of ENCRYPTION_KEYS opens it."""
    if not token:
        return ""
    try:
        return _keys(tuple(settings.ENCRYPTION_KEYS)).decrypt(token.encode()).decode()
    except InvalidToken:
        raise Unreadable(
            _("The provider's key was encrypted with a key that ENCRYPTION_KEYS lacks. Enter it again.")
        ) from None
