"""Validate a stored request once more before it is sent."""

from __future__ import annotations

from typing import Any

from generations.providers.base import ImageRequest, Refused
from generations.providers.catalogue import registry as catalogue_registry


def validated(request: ImageRequest) -> dict[str, Any]:
    """Return the parameters to send; Refused if they are invalid.

    An old generation may have parameters that were valid when it was submitted and are not any more.
    """
    model = catalogue_registry.get(request.model)
    try:
        return catalogue_registry.validate(model, request.parameters, roles=request.roles)
    except catalogue_registry.InvalidParameters as problem:
        reason = str(problem)[:300]
    raise Refused(reason)
