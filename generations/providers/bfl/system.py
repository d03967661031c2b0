"""The declaration of Black Forest Labs' API.

Sources: docs/providers/flux.md, "Addresses", "Models and prices" and "Statuses"; docs/providers/gateways.md,
"Prefixes".
"""

from __future__ import annotations

from generations.providers.bfl.models import MODELS
from generations.providers.catalogue.system import System

SYSTEM = System(
    name="bfl",
    title="Flux",
    models=MODELS,
    address="https://api.bfl.ai",
    prefix="/flux",
    other_prefixes=("/bfl",),
    unit="credit",
    unit_value=100,
    in_flight=24,
    free_question="/v1/get_result?id=00000000-0000-0000-0000-000000000000",
)
