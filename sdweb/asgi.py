"""The web process: Django, and beside it plain routes that hold no thread: live pages, calls that wait."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sdweb.settings")

import django

django.setup(set_prefix=False)

from generations.api.compat import app as compat_app  # noqa: E402  their models need Django set up
from generations.jobs.live import sse  # noqa: E402
from sdweb.asgi_handler import Handler  # noqa: E402
from sdweb.body_limit import bounded  # noqa: E402

pages = bounded(Handler())


async def application(scope: sse.Scope, receive: sse.Receive, send: sse.Send) -> None:
    """Hand a request to live pages or to the wire formats if it asks for them, else to Django."""
    if scope["type"] == "lifespan":
        await sse.lifespan(receive, send)
    elif scope["type"] == "http" and (match := sse.ROUTE.fullmatch(scope["path"])):
        await sse.stream(match["team"], scope, receive, send)
    elif compat_app.handles(scope):
        await compat_app.application(scope, receive, send)
    else:
        await pages(scope, receive, send)
