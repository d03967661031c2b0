"""Open a provider from the settings of an account, and validate those."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from urllib.parse import urlsplit

import requests

from generations.providers.base import Provider
from generations.providers.bfl.client import Flux
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.chat.client import Chat
from generations.providers.chat.text import TextChat
from generations.providers.gateway import Gateway
from generations.providers.i18n import gettext as _
from generations.providers.ideogram.client import Ideogram
from generations.providers.kling.client import Kling
from generations.providers.midjourney.client import Midjourney
from generations.providers.openai.client import OpenAI
from generations.providers.recraft.client import Recraft
from generations.providers.stability.client import Stability
from generations.providers.transport.api import Api

# The client of each system; an account at its maker is of this kind. Called as
# Client(base_url, key, *, client_id, proxy, at_gateway, dialect).
KINDS: Mapping[str, Callable[..., Provider]] = MappingProxyType(
    {
        "stability": Stability,
        "openai": OpenAI,
        "chat": Chat,
        "bfl": Flux,
        "midjourney": Midjourney,
        "recraft": Recraft,
        "kling": Kling,
        "ideogram": Ideogram,
    }
)
GATEWAY = "gateway"  # an account that has many systems with one key
ACCOUNT_KINDS = (GATEWAY, *KINDS)
TEXT_KINDS = (GATEWAY, "openai", "chat")  # whose accounts may have chat models that write texts
# What an account may call a model.
WIRE_NAME = re.compile(r"\A[A-Za-z0-9][\w.:/@+-]{0,99}\Z", re.ASCII)
PREFIX = re.compile(r"(/[A-Za-z0-9._~-]{1,60}){0,6}", re.ASCII)


@dataclass(frozen=True)
class Switch:
    """How an account has a system: the path before its own paths, and its dialect, "" for the usual one.

    `in_flight` is how many requests the account works on at the same time with this system, None for any
    number.
    """

    prefix: str = ""
    dialect: str = ""
    in_flight: int | None = None


NO_SWITCHES: Mapping[str, Switch] = MappingProxyType({})
NO_NAMES: Mapping[str, str] = MappingProxyType({})


def open_provider(
    kind: str,
    base_url: str,
    key: str,
    proxy: str = "",
    *,
    systems: Mapping[str, Switch] = NO_SWITCHES,
    wire_names: Mapping[str, str] = NO_NAMES,
) -> Provider:
    """Return the client of an account; ValueError for operators if a setting is invalid.

    `proxy` is the address through which it is called, "" for none. `systems` are those that a gateway has; a
    maker's account may name its own with a dialect. `wire_names` are a gateway's names of models where they
    are not the catalogue's.
    """
    if kind not in ACCOUNT_KINDS:
        named = {"name": kind[:40], "kinds": ", ".join(ACCOUNT_KINDS)}
        raise ValueError(_("There is no kind of provider called “%(name)s”; choose %(kinds)s.") % named)
    address, key, proxy = checked_address(base_url), checked_key(key), checked_proxy(proxy)
    switches = {name: checked_switch(name, switch) for name, switch in systems.items()}
    if kind != GATEWAY:
        dialect = switches[kind].dialect if kind in switches else ""
        return KINDS[kind](address, key, proxy=proxy, dialect=dialect)
    clients = {
        name: KINDS[name](address + switch.prefix, key, proxy=proxy, at_gateway=True, dialect=switch.dialect)
        for name, switch in switches.items()
    }
    return Gateway(Api(address, key, proxy=proxy, at_gateway=True), clients, wire_names)


def open_text_chat(
    kind: str, base_url: str, key: str, proxy: str = "", *, systems: Mapping[str, Switch] = NO_SWITCHES
) -> TextChat:
    """Return the chat models of an account; ValueError for operators if a setting is invalid.

    A gateway has them where it has pictures through chat, if that is switched on, else at its own address.
    """
    if kind not in TEXT_KINDS:
        raise ValueError(_("An account of this kind has no chat models."))
    address, key, proxy = checked_address(base_url), checked_key(key), checked_proxy(proxy)
    prefix = systems["chat"].prefix if kind == GATEWAY and "chat" in systems else ""
    return TextChat(address + prefix, key, proxy=proxy, at_gateway=kind == GATEWAY)


def checked_switch(system: str, switch: Switch) -> Switch:
    """Return the switch with a plain prefix; ValueError if it is none, or the system or dialect unknown."""
    if system not in KINDS:
        named = {"name": system[:40], "systems": ", ".join(KINDS)}
        raise ValueError(_("There is no system called “%(name)s”; choose from %(systems)s.") % named)
    declared = catalogue_registry.system(system)
    prefix = switch.prefix.strip().rstrip("/")
    if not PREFIX.fullmatch(prefix) or ".." in prefix:
        raise ValueError(_("Write the prefix as a path that begins with /, or leave it empty."))
    if switch.dialect and switch.dialect not in declared.dialects:
        named = {"name": switch.dialect[:40], "dialects": ", ".join(declared.dialects) or "-"}
        raise ValueError(_("There is no dialect called “%(name)s”; choose from %(dialects)s.") % named)
    return replace(switch, prefix=prefix)


def usual_switch(system: str) -> Switch:
    """Return how most gateways have a system."""
    declared = catalogue_registry.system(system)
    return Switch(declared.prefix, declared.gateway_dialect)


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
