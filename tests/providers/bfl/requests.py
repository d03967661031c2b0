"""Requests of Flux's models with images in more roles than the smallest have."""

from __future__ import annotations

from typing import Any

from generations.providers.base import ImageRequest, InputImage
from tests.providers.smallest_requests import SMALLEST, picture

__all__ = ["picture", "smallest"]


def smallest(model: str = "flux-pro-1.1", *images: str, **more: Any) -> ImageRequest:
    """The smallest request of a model, with images in more roles and more parameters."""
    parameters, sizes = SMALLEST[model]
    roles = [*sizes.items(), *((role, (320, 256)) for role in images)]
    inputs = tuple(InputImage(role, picture("png", size), "image/png") for role, size in roles)
    return ImageRequest(model, parameters | more, inputs)
