"""OpenAI's images API, as the router knows it."""

from __future__ import annotations

import re

from generations.sandbox.openai import endpoints, pictures
from generations.sandbox.openai_errors import error_response
from generations.sandbox.system import System

# Gateways have no prefix for it; below this one the sandbox answers as they do.
SYSTEM = System(
    "openai",
    ("/openai",),
    re.compile(r"/v1/(images/(generations|edits|variations)|models(/.*)?)"),
    endpoints.respond,
    error_response,
    max_body=pictures.MAX_BODY,
)
