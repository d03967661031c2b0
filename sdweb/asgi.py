"""The web process: Django, and beside it the plain route of live pages, which holds no thread."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sdweb.settings")

from django.core.asgi import get_asgi_application

django = get_asgi_application()

from generations.jobs import live  # noqa: E402  its models need Django set up
from sdweb.bodies import bounded  # noqa: E402


async def application(scope: live.Scope, receive: live.Receive, send: live.Send) -> None:
    """Hand a request to the stream of live pages if it asks for that, else to Django."""
    if scope["type"] == "lifespan":
        await live.lifespan(receive, send)
    elif scope["type"] == "http" and (match := live.ROUTE.fullmatch(scope["path"])):
        await live.stream(match["team"], scope, receive, send)
    else:
        await bounded(django)(scope, receive, send)
