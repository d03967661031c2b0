"""Kling's API of images, as the router knows it."""

from __future__ import annotations

import re

from generations.sandbox.kling import endpoints, key_pair
from generations.sandbox.kling.errors import error_response
from generations.sandbox.system import System

# Its generations have the address of OpenAI's: here they are only below the prefix. Images come as base64.
PATHS = re.compile(r"/v1/images/(omni-image|editing/expand)(/[0-9a-f]+)?")
SYSTEM = System(
    "kling",
    ("/kling",),
    PATHS,
    endpoints.respond,
    error_response,
    proves=key_pair.proves,
    has_window=False,
    max_body=32 * 1024 * 1024,
)
