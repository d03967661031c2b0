"""The declaration of Stability's API.

Sources: docs/providers/stability.md, "Addresses", "Rate limit" and "Prices"; docs/providers/gateways.md,
"Prefixes".
"""

from __future__ import annotations

from generations.providers.catalogue.system import System
from generations.providers.stability.models import MODELS

SYSTEM = System(
    name="stability",
    title="Stability AI",
    models=MODELS,
    address="https://api.stability.ai",
    prefix="/sd",
    other_prefixes=("",),
    free_question="/v1/user/balance",
    unit="credit",
    unit_value=100,
    calls=150,
    seconds=10,
)
