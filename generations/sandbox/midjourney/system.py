"""Midjourney's proxies, as the router knows them: the relay, and below their names the other dialects."""

from __future__ import annotations

import re

from generations.sandbox.midjourney.dialects import ORIGINAL, PLUS, RELAY, Dialect
from generations.sandbox.midjourney.endpoints import Midjourney
from generations.sandbox.system import System

MAX_BODY = 20 * 1024 * 1024  # of JSON with images in base64


def _system(dialect: Dialect, first: str) -> System:
    paths = re.compile(rf"{first}/mj(?:-fast/mj|-turbo/mj|-relax/mj)?/.*")
    return System(
        f"midjourney {dialect.name}",
        (),
        paths,
        Midjourney(dialect).respond,
        dialect.error_response,
        key=dialect.key,
        has_window=False,
        max_body=MAX_BODY,
    )


SYSTEMS = (_system(RELAY, ""), _system(PLUS, "/plus"), _system(ORIGINAL, "/original"))
