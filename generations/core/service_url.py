"""Addresses of servers with a user name and a password, as settings have them.

What libraries make of signs such as `#` in a password differs, so it is read here once, for all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote

from django.core.exceptions import ImproperlyConfigured

# With a user name and a password, the first @ after which only a host, a path and options come ends them:
# whatever stands before may hold signs that were meant to be quoted.
_SCHEME, _PLACE = r"(?P<scheme>[a-z][a-z0-9+.-]*)://", r"(?P<hosts>[^/?#@]*)(?P<path>/[^?#@]*)?"
_FORMS = (
    re.compile(rf"{_SCHEME}{_PLACE}(?:\?(?P<query>[^#@]*))?", re.IGNORECASE),
    re.compile(rf"{_SCHEME}(?P<login>.*?)@{_PLACE}(?:\?(?P<query>[^#@]*))?", re.IGNORECASE),
)
# Not a password, but an address with an @ in an option.
_AMBIGUOUS = re.compile(r".*@[^/?#@]*(/[^?#@]*)?\?[\w.]+=.*")
_HOST = re.compile(r"(?P<name>\[[^]]+\]|[^:]*)(?::(?P<port>\d{0,5}))?")


@dataclass(frozen=True)
class ServiceUrl:
    """The parts of an address, decoded; `hosts` are pairs of name and port (0: not given)."""

    scheme: str
    user: str
    password: str
    hosts: tuple[tuple[str, int], ...]
    path: str
    options: dict[str, str]

    def login(self) -> str:
        """Return user name and password quoted for a URL, with the @; "" without either."""
        name, secret = quote(self.user, safe=""), quote(self.password, safe="")
        return f"{name}:{secret}@" if secret else f"{name}@" if name else ""


def parse(address: str) -> ServiceUrl:
    """Return the parts of an address; ImproperlyConfigured, without the address, if it has another form.

    Signs with a meaning in addresses may stand quoted (%23) or as they are in user name and password.
    """
    text = address.strip()
    found = next((match for form in _FORMS if (match := form.fullmatch(text))), None)
    login = (found.groupdict().get("login") or "") if found else ""
    is_plain = all(letter.isprintable() and not letter.isspace() for letter in text)
    if not found or not is_plain or _AMBIGUOUS.fullmatch(login):
        raise ImproperlyConfigured(
            "is no address: write it as scheme://user:password@host:port/name, and in the password signs"
            " such as #, @, / and spaces as %23, %40, %2F and %20"
        )
    user, _colon, password = login.partition(":")
    options = parse_qsl(found["query"] or "", keep_blank_values=True)
    if len(dict(options)) < len(options):
        raise ImproperlyConfigured("gives an option twice")
    return ServiceUrl(
        scheme=found["scheme"].lower(),
        user=unquote(user),
        password=unquote(password),
        hosts=tuple(_host(each) for each in found["hosts"].split(",")) if found["hosts"] else (),
        path=unquote(found["path"] or ""),
        options=dict(options),
    )


def _host(text: str) -> tuple[str, int]:
    found = _HOST.fullmatch(text)
    port = int(found["port"] or 0) if found else -1
    if not found or not 0 <= port < 65_536:
        raise ImproperlyConfigured(
            "has no usable host and port: write host:port, with a number from 1 to 65535"
        )
    name = unquote(found["name"])
    return (name[1:-1] if name.startswith("[") else name), port
