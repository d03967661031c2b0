"""The web process: Django, and beside it plain routes that hold no thread: live pages, calls that wait."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sdweb.settings")

import django

django.setup(set_prefix=False)

from generations.api import wire  # noqa: E402  their models need Django set up
from generations.jobs import live  # noqa: E402
from sdweb.bodies import bounded  # noqa: E402
from sdweb.handler import Handler  # noqa: E402

pages = bounded(Handler())


async def application(scope: live.Scope, receive: live.Receive, send: live.Send) -> None:
    """Hand a request to live pages or to the wire formats if it asks for them, else to Django."""
    if scope["type"] == "lifespan":
        await live.lifespan(receive, send)
    elif scope["type"] == "http" and (match := live.ROUTE.fullmatch(scope["path"])):
        await live.stream(match["team"], scope, receive, send)
    elif wire.is_ours(scope):
        await wire.application(scope, receive, send)
    else:
        await pages(scope, receive, send)
