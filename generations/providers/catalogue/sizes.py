"""Sizes of pictures by their shapes."""

from __future__ import annotations

from collections.abc import Mapping

Sizes = Mapping[str, tuple[int, int]]  # shape, such as 16:9: width and height in pixels


def with_portraits(landscapes: Sizes) -> dict[str, tuple[int, int]]:
    """Return these sizes and the same ones turned, from the widest to the tallest."""
    turned = {
        ":".join(reversed(shape.split(":"))): (size[1], size[0])
        for shape, size in reversed(list(landscapes.items()))
        if shape != "1:1"
    }
    return {**landscapes, **turned}
