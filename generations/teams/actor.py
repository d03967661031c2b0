"""The actor of an administrative change: the user and the network address, as the audit log records them."""

from dataclasses import dataclass
from ipaddress import ip_address

from django.http import HttpRequest

from generations.teams.models import User


@dataclass(frozen=True)
class Actor:
    """The user who makes a change and the address of the request; neither for a management command."""

    user: User | None = None
    address: str | None = None


COMMAND = Actor()


def actor_of(request: HttpRequest) -> Actor:
    """Return the actor of a request.

    The address is REMOTE_ADDR, which uvicorn takes from trusted proxies only.
    """
    user = request.user if request.user.is_authenticated else None
    return Actor(user, client_address(request))


def client_address(request: HttpRequest) -> str | None:
    """Return the client's IP address.

    None for a Unix socket, and for a proxy header that holds no address.
    """
    try:
        return str(ip_address(request.META.get("REMOTE_ADDR", "").partition("%")[0]))
    except ValueError:
        return None
