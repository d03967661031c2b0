"""The declaration of Kling's API of images.

Sources: docs/providers/kling.md, "Addresses and keys" and "Prices"; docs/providers/gateways.md, "Prefixes".
"""

from __future__ import annotations

from generations.providers.catalogue.system import System
from generations.providers.kling.models import HUNDREDTHS_OF_A_CENT, MODELS

SYSTEM = System(
    name="kling",
    title="Kling",
    models=MODELS,
    address="https://api-singapore.klingai.com",
    prefix="/kling",
    free_question="/v1/images/generations?pageNum=1&pageSize=1",
    unit="unit",
    unit_value=HUNDREDTHS_OF_A_CENT,
)
