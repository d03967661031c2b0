"""Styles on a grid: pixels, and a tile that repeats without seams."""

from __future__ import annotations

import numpy as np
from PIL import Image

from generations.sandbox.art.painting import Painting, to_array, to_image
from generations.sandbox.art.palette import adjust

PIXELS = 112
TILES = 3


def pixel_art(painting: Painting) -> None:
    """Few large pixels in few colours."""
    share = PIXELS / painting.unit
    size = (max(8, round(painting.width * share)), max(8, round(painting.height * share)))
    vivid = to_image(adjust(painting.rgb, saturation=1.3, contrast=1.12))
    small = vivid.resize(size, Image.Resampling.BOX).quantize(28, dither=Image.Dither.NONE).convert("RGB")
    painting.rgb[:] = to_array(small.resize(painting.size, Image.Resampling.NEAREST))


def tile_texture(painting: Painting) -> None:
    """One motif, mirrored to all sides and laid as tiles with narrow joints."""
    side = max(16, int(painting.unit / TILES / 2) * 2)
    middle = _motif(painting, side // 2)
    motif = np.concatenate([middle, middle[:, ::-1]], axis=1)
    motif = np.concatenate([motif, motif[::-1]], axis=0)
    at = np.abs(np.linspace(-1, 1, side, dtype=np.float32))
    rim = np.maximum(at[:, None], at[None, :])
    raised = 1 - np.clip((rim - 0.93) * 9, 0, 0.5)
    motif = motif * raised[..., None]
    repeats = (-(-painting.height // side), -(-painting.width // side), 1)
    painting.rgb[:] = np.tile(motif, repeats)[: painting.height, : painting.width]


def _motif(painting: Painting, side: int) -> np.ndarray:
    """The middle of the painting as a small square, symmetric along its diagonal."""
    shorter = min(painting.size)
    left, top = (painting.width - shorter) // 2, (painting.height - shorter) // 2
    crop = to_image(adjust(painting.rgb, saturation=1.15, contrast=1.1))
    square = to_array(
        crop.resize((side, side), Image.Resampling.LANCZOS, (left, top, left + shorter, top + shorter))
    )
    below = np.tri(side, dtype=np.float32)[..., None]
    return square * below + square.transpose(1, 0, 2) * (1 - below)
