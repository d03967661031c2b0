"""The declaration of Ideogram's API.

Sources: docs/providers/ideogram.md, "Addresses", "Statuses" and "Prices"; docs/providers/gateways.md,
"Prefixes".
"""

from __future__ import annotations

from generations.providers.catalogue.system import System
from generations.providers.ideogram.models import MODELS

SYSTEM = System(
    name="ideogram",
    title="Ideogram",
    models=MODELS,
    address="https://api.ideogram.ai",
    prefix="/ideogram",
    free_question="/v2/generations/none",
    in_flight=10,
)
