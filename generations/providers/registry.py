"""Open a provider from the settings of an account, and validate those."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

import requests

from generations.providers.base import Provider
from generations.providers.i18n import gettext as _
from generations.providers.stability.client import Stability

KINDS: Mapping[str, Callable[..., Provider]] = MappingProxyType({"stability": Stability})


def open_provider(kind: str, base_url: str, key: str, proxy: str = "") -> Provider:
    """Return the client of an account; ValueError for operators if a setting is invalid.

    `proxy` is the address through which it is called, "" for none.
    """
    if kind not in KINDS:
        named = {"name": kind[:40], "kinds": ", ".join(KINDS)}
        raise ValueError(_("There is no kind of provider called “%(name)s”; choose %(kinds)s.") % named)
    through = {"proxy": checked_proxy(proxy)} if proxy else {}
    return KINDS[kind](checked_address(base_url), checked_key(key), **through)


def checked_address(base_url: str) -> str:
    """Return the base URL without a trailing slash; ValueError if it is no plain http or https URL."""
    address = base_url.strip()
    try:
        parts = urlsplit(address)
        plain = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        requests.Request("GET", address).prepare()
    except ValueError:
        plain = False
    if not plain or any(letter.isspace() or not letter.isprintable() for letter in address):
        raise ValueError(_("Give the provider's address as http:// or https:// with a host name."))
    if parts.username is not None or parts.password is not None:
        raise ValueError(_("The provider's address must hold no user name and no password."))
    if "?" in address or "#" in address:
        raise ValueError(_("The provider's address must end with its path: no ? and no #."))
    return address.rstrip("/")


def checked_proxy(proxy: str) -> str:
    """Return the proxy's address, "" for none; ValueError, without a password, if it is no http proxy."""
    address = proxy.strip()
    try:
        parts = urlsplit(address)
        plain = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        plain = False
    if address and (
        not plain
        or parts.path.strip("/")
        or "?" in address
        or "#" in address
        or any(letter.isspace() or not letter.isprintable() for letter in address)
    ):
        raise ValueError(_("Give the proxy as http://host:port, or http://user:password@host:port."))
    return address.rstrip("/")


def checked_key(key: str) -> str:
    """Return the key trimmed; ValueError, without the key, if it cannot be sent in a header."""
    key = key.strip()
    if not key or not set(key) <= set(string.ascii_letters + string.digits + string.punctuation):
        raise ValueError(_("Give the provider's key: letters, digits and signs without spaces."))
    return key
