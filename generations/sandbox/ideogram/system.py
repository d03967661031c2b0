"""Ideogram's API, as the router knows it."""

from __future__ import annotations

import re

from generations.sandbox.ideogram import endpoints
from generations.sandbox.ideogram.errors import error_response
from generations.sandbox.state import Request
from generations.sandbox.system import System

PATHS = re.compile(
    r"/(generate|remix|upscale|describe|edit|reframe|v1/ideogram-v[34]/.*|v1/remove-background|v2/(image|generations)/.*)"
)


def api_key(request: Request) -> str:
    """Return the key as the maker takes it: in a header of its own, and no bearer token."""
    return request.headers.get("api-key", "")


SYSTEM = System(
    "ideogram", ("/ideogram",), PATHS, endpoints.respond, error_response, api_key, has_window=False
)
