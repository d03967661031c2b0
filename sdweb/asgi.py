"""ASGI application: Django, and plain ASGI routes that block no thread: live pages, waiting API calls."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sdweb.settings")

import django

django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402  see below
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware  # noqa: E402

from generations.api.compat import app as compat_app  # noqa: E402  their models need Django set up
from generations.jobs.live import sse  # noqa: E402
from sdweb.asgi_handler import SingleThreadHandler  # noqa: E402
from sdweb.body_limit import limit_body  # noqa: E402

django_application = limit_body(SingleThreadHandler())


async def route(scope: sse.Scope, receive: sse.Receive, send: sse.Send) -> None:
    """Route a request to the event stream, to the compatible APIs, or to Django."""
    if scope["type"] == "lifespan":
        await sse.lifespan(receive, send)
    elif scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})  # uvicorn answers 403
    elif scope["type"] == "http" and (match := sse.ROUTE.fullmatch(scope["path"])):
        await sse.stream(match["team"], scope, receive, send)
    elif compat_app.handles(scope):
        await compat_app.application(scope, receive, send)
    else:
        await django_application(scope, receive, send)


# uvicorn believes its own FORWARDED_ALLOW_IPS besides, by default this machine.
application: Any = (
    ProxyHeadersMiddleware(route, settings.TRUSTED_PROXIES) if settings.TRUSTED_PROXIES else route  # type: ignore[arg-type]  # a plain dictionary is a scope
)
