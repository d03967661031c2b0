"""The models of Black Forest Labs, under their own names.

Source: docs/providers/flux.md, "Models and prices". How long they take is an estimate.
"""

from __future__ import annotations

from generations.providers.bfl import flux1, flux2, flux3, kontext

MODELS = (*flux2.MODELS, *flux3.MODELS, *flux1.MODELS, *kontext.MODELS)
