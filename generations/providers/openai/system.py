"""The declaration of OpenAI's images API.

Sources: docs/providers/openai.md, "Generations", "Limits" and "Prices"; docs/providers/gateways.md,
"Prefixes".
"""

from __future__ import annotations

from generations.providers.catalogue.system import System
from generations.providers.i18n import gettext_noop
from generations.providers.openai.models import MODELS

SYSTEM = System(
    name="openai",
    title="OpenAI",
    models=MODELS,
    address="https://api.openai.com",
    dialects={
        "": gettext_noop("As OpenAI has it"),
        "url": gettext_noop("Asks for addresses (response_format url)"),
        "b64_json": gettext_noop("Asks for base64 (response_format b64_json)"),
    },
    unit="USD",
    calls=5,
    seconds=60,
)
