"""The declaration of Recraft's API.

Sources: docs/providers/recraft.md, "Addresses", "Limits" and "Prices"; docs/providers/gateways.md,
"Prefixes".
"""

from __future__ import annotations

from generations.providers.catalogue.system import System
from generations.providers.recraft.models import HUNDREDTHS_OF_A_CENT, MODELS

SYSTEM = System(
    name="recraft",
    title="Recraft",
    models=MODELS,
    address="https://external.api.recraft.ai",
    prefix="/recraft",
    free_question="/v1/users/me",
    unit="unit",
    unit_value=HUNDREDTHS_OF_A_CENT,
    calls=5,  # a second, and 100 pictures a minute: both are kept
    seconds=3,
)
