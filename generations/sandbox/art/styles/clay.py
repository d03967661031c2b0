"""Styles with volume: soft modelling compound, and a rendered model."""

from __future__ import annotations

import numpy as np
from PIL import ImageFilter

from generations.sandbox.art import noise
from generations.sandbox.art.painting import Painting, blurred, smoothed, to_array, to_image
from generations.sandbox.art.palette import Array, adjust


def modeling_compound(painting: Painting) -> None:
    """Rounded lumps with fingerprints, in few soft colours."""
    lumps = adjust(simplified(painting, 9), saturation=1.45, contrast=0.95, lift=0.05)
    height = smoothed(painting.nearness, painting.unit * 0.004)
    prints = np.sin(noise.cloud(painting.random, painting.size, 3.4, 0.8, 0.8) * 30) * 0.0022
    dents = noise.cloud(painting.random, painting.size, 3.2, 0.5, 0.5) * 0.006
    light = lighting(height + prints + dents, painting.unit * 0.1)
    painting.rgb[:] = lumps * (0.4 + 0.9 * light)[..., None] + highlight(light, 0.12)


def model(painting: Painting) -> None:
    """Smooth plastic under studio lamps."""
    smooth = adjust(simplified(painting, 5), saturation=1.25, contrast=1.0, lift=0.03)
    height = smoothed(painting.nearness, painting.unit * 0.007)
    light = lighting(height, painting.unit * 0.17)
    hollows = np.clip(smoothed(height, painting.unit * 0.02) - height, 0, 0.4)
    shaded = smooth * (0.38 + 0.95 * light)[..., None]
    painting.rgb[:] = shaded * (1 - 2.2 * hollows)[..., None] + highlight(light, 0.25)


def simplified(painting: Painting, size: int) -> Array:
    """The painting in patches of even colour, found at half the size."""
    image = to_image(painting.rgb).reduce(2).quantize(24).convert("RGB")
    patches = image.filter(ImageFilter.ModeFilter(size)).resize(painting.size)
    return blurred(to_array(patches), max(0.8, painting.unit * 0.0016))


def lighting(height: Array, depth: float) -> Array:
    """How much each point of a relief faces a lamp at the upper left, 0..1."""
    down, across = np.gradient(height * depth)
    facing = (0.55 * across + 0.65 * down + 0.62) / np.sqrt(1 + across**2 + down**2)
    result: Array = np.clip(facing, 0, 1.25).astype(np.float32)
    return result


def highlight(light: Array, strength: float) -> Array:
    """The lamp's own reflection."""
    result: Array = (np.clip(light - 0.74, 0, 1) * 3.2)[..., None] ** 2 * strength
    return result
