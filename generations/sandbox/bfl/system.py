"""The API of Black Forest Labs, as the router knows it."""

from __future__ import annotations

import re

from generations.sandbox.bfl import endpoints
from generations.sandbox.bfl.errors import error_response
from generations.sandbox.state import Request
from generations.sandbox.system import System


def _key(request: Request) -> str:
    return request.headers.get("x-key", "").strip()


# Prefixes: docs/providers/gateways.md, "Prefixes".
SYSTEM = System(
    "bfl",
    ("/flux", "/bfl"),
    re.compile(r"/v1/(flux-.*|get_result|credits)"),
    endpoints.respond,
    error_response,
    key=_key,
    has_window=False,
    max_body=32 * 1024 * 1024,
)
