"""The three dialects of the interface: which header has the key, and what each can do.

Source: docs/providers/midjourney.md, "Keys", "Addresses" and "Statuses".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from generations.providers.i18n import gettext_noop

SECRET = "mj-api-secret"  # noqa: S105  the name of a header


@dataclass(frozen=True)
class Dialect:
    """What one dialect does otherwise than the others.

    `key_header` and `key_scheme` are for the key outside of gateways. With `speed_paths` the speed is a part
    of the path, else a word of the prompt. `has_buttons` is whether next steps are buttons of a task; what
    has none is changed by its id. With `has_bots` an order names the bot.
    """

    title: str
    poll_seconds: float
    key_header: str = SECRET
    key_scheme: str = ""
    speed_paths: bool = True
    has_buttons: bool = True
    has_seeds: bool = True
    has_bots: bool = True
    models: frozenset[str] | None = None  # None: all


DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        # It asks the proxy behind it every 15 seconds, so asking it sooner is useless.
        "newapi": Dialect(
            gettext_noop("Relay (new-api)"), 15.0, key_header="Authorization", key_scheme="Bearer"
        ),
        "plus": Dialect(gettext_noop("Plus (C#, or Java with buttons)"), 5.0),
        "original": Dialect(
            gettext_noop("Original (Java)"),
            5.0,
            speed_paths=False,
            has_buttons=False,
            has_seeds=False,
            has_bots=False,
            models=frozenset({"midjourney", "midjourney-blend", "midjourney-describe"}),
        ),
    }
)
USUAL = "newapi"


def get(name: str) -> Dialect:
    """Return the dialect of this name, the usual one for "" and for what is none."""
    return DIALECTS.get(name, DIALECTS[USUAL])
