"""Chat completions, as the router knows them."""

from __future__ import annotations

import re

from generations.sandbox.chat import endpoints
from generations.sandbox.openai_errors import error_response
from generations.sandbox.system import System

MAX_BODY = 64 * 1024 * 1024

SYSTEM = System("chat", (), re.compile(r"/v1/chat/.*"), endpoints.respond, error_response, max_body=MAX_BODY)
