"""From a wish to a picture."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from generations.sandbox.art import finish, words
from generations.sandbox.art.painting import Painting
from generations.sandbox.art.palette import PALETTES
from generations.sandbox.art.scenes import SCENES
from generations.sandbox.art.styles import STYLES

WORKING_SCALE = 0.625


@dataclass(frozen=True)
class Wish:
    """What decides a picture: the same wish gives the same picture."""

    prompt: str
    seed: int
    style: str
    size: tuple[int, int]


def draw(wish: Wish) -> Image.Image:
    """Paint the scene that the words ask for, redraw it in the style, and finish it."""
    random = np.random.default_rng([wish.seed, *hashlib.sha256(wish.prompt.encode()).digest()[:8]])
    scene, palette = words.choose(wish.prompt, random)
    size = (max(8, int(wish.size[0] * WORKING_SCALE)), max(8, int(wish.size[1] * WORKING_SCALE)))
    painting = Painting(size, PALETTES[palette], random)
    SCENES[scene](painting)
    style = STYLES[wish.style]
    style.redraw(painting)
    rgb = painting.rgb
    if style.bloom:
        rgb = finish.bloom(rgb, style.bloom)
    if style.vignette:
        rgb = finish.vignette(rgb, style.vignette)
    return finish.enlarge(rgb, wish.size, style.grain)


def mark(image: Image.Image) -> Image.Image:
    """Write the word that tells a sandbox picture from a real one."""
    return finish.mark(image)
