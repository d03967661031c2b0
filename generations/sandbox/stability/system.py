"""Stability's API, as the router knows it."""

from __future__ import annotations

import re

from generations.sandbox.stability import endpoints
from generations.sandbox.stability.errors import error_response
from generations.sandbox.system import System

# Gateways serve the same API below `/sd`: docs/providers/gateways.md, "Prefixes". What is no other system's
# path is Stability's.
SYSTEM = System("stability", ("/sd",), re.compile(r"/.*"), endpoints.respond, error_response)
