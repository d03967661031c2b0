"""Recraft's API, as the router knows it."""

from __future__ import annotations

import re

from generations.sandbox.recraft import endpoints
from generations.sandbox.recraft.errors import error_response
from generations.sandbox.system import System

# Its generations have the address of OpenAI's: here they are only below the prefix.
PATHS = re.compile(r"/v1/(users/me|styles|images/(?!generations$|edits$|variations$)[a-zA-Z/]+)")
SYSTEM = System("recraft", ("/recraft",), PATHS, endpoints.respond, error_response, has_window=False)
