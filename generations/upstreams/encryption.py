"""Encryption of secrets at rest: Fernet with key rotation (ENCRYPTION_KEYS, newest first)."""

from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _


class Undecryptable(ValueError):
    """No key of ENCRYPTION_KEYS decrypts the secret; the text tells operators what to do."""


@cache
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise ImproperlyConfigured(
            "ENCRYPTION_KEYS has an invalid Fernet key: it must be 32 bytes in URL-safe base64."
        ) from None


def encrypt(secret: str) -> str:
    """Encrypt the secret with the newest key; "" stays empty."""
    return _fernet(tuple(settings.ENCRYPTION_KEYS)).encrypt(secret.encode()).decode() if secret else ""


def decrypt(token: str) -> str:
    """Decrypt the secret; Undecryptable if no key of ENCRYPTION_KEYS does."""
    if not token:
        return ""
    try:
        return _fernet(tuple(settings.ENCRYPTION_KEYS)).decrypt(token.encode()).decode()
    except InvalidToken:
        raise Undecryptable(
            _("The provider's key was encrypted with a key that ENCRYPTION_KEYS lacks. Enter it again.")
        ) from None
