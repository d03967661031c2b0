"""Who acts, and from where: what every administrative verb is told, and what the office's log keeps."""

from dataclasses import dataclass
from ipaddress import ip_address

from django.http import HttpRequest

from generations.teams.models import User


@dataclass(frozen=True)
class By:
    """Who acts, and from which address; neither for a command at the server."""

    user: User | None = None
    address: str | None = None


COMMAND = By()


def by(request: HttpRequest) -> By:
    """Who sent the request. The address is REMOTE_ADDR, which uvicorn took from trusted proxies alone."""
    user = request.user if request.user.is_authenticated else None
    return By(user, address_of(request))


def address_of(request: HttpRequest) -> str | None:
    """From where; None for a socket's, and for what a proxy wrote that is none: no act fails for that."""
    try:
        return str(ip_address(request.META.get("REMOTE_ADDR", "").partition("%")[0]))
    except ValueError:
        return None
