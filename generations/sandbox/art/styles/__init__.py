"""The seventeen style presets: each redraws the painting of a scene in its own manner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from generations.sandbox.art.painting import Painting
from generations.sandbox.art.styles import clay, facets, grading, grids, lines


@dataclass(frozen=True)
class Style:
    """How a painting is redrawn, and how much bloom and grain lie over it afterwards."""

    redraw: Callable[[Painting], None]
    bloom: float = 0.3
    grain: int = 4
    vignette: float = 0.2


STYLES = {
    "": Style(lambda _painting: None),
    "enhance": Style(grading.enhance, bloom=0.25, grain=3),
    "anime": Style(grading.anime, bloom=0.2, grain=0, vignette=0),
    "photographic": Style(grading.photographic, bloom=0.4, grain=5, vignette=0.3),
    "digital-art": Style(grading.digital_art, bloom=0.35, grain=3),
    "comic-book": Style(lines.comic_book, bloom=0, grain=0, vignette=0),
    "fantasy-art": Style(grading.fantasy_art, bloom=0.6, grain=3, vignette=0.3),
    "line-art": Style(lines.line_art, bloom=0, grain=3, vignette=0.05),
    "analog-film": Style(grading.analog_film, bloom=0.25, grain=10, vignette=0.35),
    "neon-punk": Style(lines.neon_punk, bloom=0.55, grain=4, vignette=0.25),
    "isometric": Style(facets.isometric, bloom=0.1, grain=3, vignette=0.05),
    "low-poly": Style(facets.low_poly, bloom=0.2, grain=2, vignette=0.1),
    "origami": Style(facets.origami, bloom=0.1, grain=4),
    "modeling-compound": Style(clay.modeling_compound, bloom=0.1, grain=3, vignette=0.15),
    "cinematic": Style(grading.cinematic, bloom=0.4, grain=6, vignette=0.3),
    "3d-model": Style(clay.model, bloom=0.3, grain=3, vignette=0.2),
    "pixel-art": Style(grids.pixel_art, bloom=0, grain=0, vignette=0),
    "tile-texture": Style(grids.tile_texture, bloom=0.1, grain=3, vignette=0.12),
}
