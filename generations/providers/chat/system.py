"""The declaration of pictures through chat completions, which only gateways sell.

Source: docs/providers/chat-completions.md, "Request" and "In sdweb".
"""

from __future__ import annotations

from generations.providers.catalogue.system import System
from generations.providers.chat.models import MODELS
from generations.providers.i18n import gettext_noop

SYSTEM = System(
    name="chat",
    title="Chat",
    models=MODELS,
    dialects={
        "": gettext_noop("The answer comes piece by piece (stream)"),
        "whole": gettext_noop("The answer comes at once"),
    },
    unit="USD",
    calls=60,
    seconds=60,
)
