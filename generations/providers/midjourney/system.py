"""The declaration of Midjourney's proxies.

Sources: docs/providers/midjourney.md, "Addresses", "Statuses" and "Prices".
"""

from __future__ import annotations

from generations.providers.catalogue.system import System
from generations.providers.midjourney.dialects import DIALECTS
from generations.providers.midjourney.models import MODELS

SYSTEM = System(
    name="midjourney",
    title="Midjourney",
    models=MODELS,
    free_question="/mj/task/0/fetch",
    dialects={name: dialect.title for name, dialect in DIALECTS.items()},
    dialect_models={name: dialect.models for name, dialect in DIALECTS.items() if dialect.models is not None},
    calls=10,
    seconds=10,
    in_flight=3,
)
