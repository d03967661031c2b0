"""ASGI application: Django, and plain ASGI routes that block no thread: live pages, waiting API calls."""

import gc
import os
import threading
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sdweb.settings")

import django

django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402  see below
from django.urls import reverse  # noqa: E402
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware  # noqa: E402

from generations.api import addresses, cors  # noqa: E402  their models need Django set up
from generations.api.compat import app as compat_app  # noqa: E402
from generations.core import asgi  # noqa: E402
from generations.core.asgi import Receive, Scope, Send  # noqa: E402
from generations.jobs.live import sse  # noqa: E402
from generations.library.storage import client as storage_client  # noqa: E402
from sdweb.asgi_handler import SingleThreadHandler  # noqa: E402

API_AFTER = 5.0  # seconds, in which pages answer already and the workers start

django_application = SingleThreadHandler()


async def route(scope: Scope, receive: Receive, send: Send) -> None:
    """Route a request to the event stream, to the APIs, or to Django; cut off a client that reads nothing."""
    if scope["type"] == "lifespan":
        await sse.lifespan(receive, send)
        return
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})  # uvicorn answers 403
        return
    try:
        await _respond(scope, receive, send)
    except asgi.ReaderTooSlow:
        await asgi.abort(receive, send)


async def _respond(scope: Scope, receive: Receive, send: Send) -> None:
    if path := addresses.canonical(scope["path"]):
        await cors.application(_respond_to_program, scope | {"path": path}, receive, send)
    elif match := sse.ROUTE.fullmatch(scope["path"]):
        await sse.stream(match["team"], scope, receive, send)
    else:
        await django_application(scope, receive, send)


async def _respond_to_program(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond at an address of an API, in whose path nothing is superfluous."""
    if compat_app.handles(scope):
        await compat_app.application(scope, receive, send)
    else:
        await django_application(scope, receive, send)


# uvicorn believes its own FORWARDED_ALLOW_IPS besides, by default this machine.
application: Any = (
    ProxyHeadersMiddleware(route, settings.TRUSTED_PROXIES) if settings.TRUSTED_PROXIES else route  # type: ignore[arg-type]  # a plain dictionary is a scope
)


def load_api() -> None:
    """Import /api/v1, whose schemas take as long as all pages, unless a request has done so."""
    reverse("v1:openapi-json")
    _keep_loaded()


def _keep_loaded() -> None:
    gc.collect()
    gc.freeze()


# All this would hold up every connection later, for half a second: loading the views, in the event loop with
# the first request, the S3 client with the first picture, and going through both in garbage collections.
reverse("teams:home")
storage_client.client()
_keep_loaded()
_loading = threading.Timer(API_AFTER, load_api)
_loading.daemon = True
_loading.start()
