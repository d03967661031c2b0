"""The style presets: four treatments of a finished scene, each preset with settings of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from generations.sandbox.art.canvas import Array, Canvas, blurred, colour, ramp, to_array, to_image

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
GRAIN_SIDE = 512


def graded(
    canvas: Canvas,
    *,
    tint: str = "808080",
    saturation: float = 1.08,
    contrast: float = 1.04,
    bloom: float = 0.3,
    vignette: float = 0.16,
    grain: int = 3,
) -> Image.Image:
    """As a camera sees it: colours graded, bright parts bloom, corners darken, grain on top."""
    grey = (canvas.rgb @ LUMINANCE)[..., None]
    rgb: Array = (grey + (canvas.rgb - grey) * np.float32(saturation) - 0.5) * np.float32(contrast) + colour(
        tint
    )
    if bloom:
        bright = np.clip(rgb[::4, ::4] - 0.62, 0, 1) * np.float32(2.6)
        light = to_image(blurred(bright, canvas.unit / 100)).resize(canvas.size, Image.Resampling.BILINEAR)
        rgb += (1 - rgb) * to_array(light) * np.float32(bloom)
    away = (canvas.x / canvas.width * 2 - 1) ** 2 + (canvas.y / canvas.height * 2 - 1) ** 2
    rgb *= (1 - vignette * (away * 0.5) ** 1.5)[..., None]
    repeats = (-(-canvas.height // GRAIN_SIDE), -(-canvas.width // GRAIN_SIDE), 1)
    rgb += np.tile(grain_tile(grain), repeats)[: canvas.height, : canvas.width]
    return to_image(rgb)


@lru_cache(maxsize=8)
def grain_tile(strength: int) -> Array:
    """A square of film grain, which also hides bands in slow gradients."""
    rough = np.random.default_rng(strength).standard_normal((GRAIN_SIDE + 1, GRAIN_SIDE + 1), np.float32)
    soft = (rough[1:, 1:] + rough[:-1, 1:] + rough[1:, :-1] + rough[:-1, :-1]) / 2
    return (soft * np.float32(strength / 510))[..., None]


def outlined(
    canvas: Canvas,
    *,
    ink: str,
    tones: tuple[str, ...] = (),
    levels: int = 5,
    saturation: float = 1.4,
    softness: float = 0.003,
    lines: float = 9,
    contours: int = 0,
    glow: float = 0,
) -> Image.Image:
    """Flat tones, of the scene or given from dark to light, with lines where they change."""
    soft = blurred(canvas.rgb, canvas.unit * softness)
    light = soft @ LUMINANCE
    if tones:
        flat = ramp(np.stack([colour(tone) for tone in tones]), light)
    else:
        grey = light[..., None]
        flat = np.round(grey * levels) / levels + (soft - grey) * np.float32(saturation)
    edges = np.clip((_steps(to_image(light)) - 0.04) * lines, 0, 1)
    if contours:
        bands = np.round(light * contours) / contours
        edges = np.maximum(edges, blurred(_steps(to_image(bands), 3) * contours, 0.8) * np.float32(0.7))
    if glow:
        flat += (1 - flat) * (
            np.clip(blurred(edges, canvas.unit * 0.012) * glow, 0, 1)[..., None] * colour(ink)
        )
    flat += (colour(ink) - flat) * edges[..., None]
    return to_image(flat)


def tiled(canvas: Canvas, *, across: int, colours: int, seam: float = 1.0) -> Image.Image:
    """Equal squares of few colours, perhaps with a seam of another brightness around each."""
    side = max(2, round(canvas.unit * 2 / across))
    size = (-(-canvas.width * 2 // side), -(-canvas.height * 2 // side))
    small = to_image(canvas.rgb).resize(size, Image.Resampling.BOX)
    small = small.quantize(colours, dither=Image.Dither.NONE).convert("RGB")
    squares = np.asarray(small).repeat(side, axis=0).repeat(side, axis=1)
    for each in range(side // 10 if seam != 1 else 0):
        squares[each::side] = squares[each::side] * seam
        squares[:, each::side] = squares[:, each::side] * seam
    return Image.fromarray(squares[: canvas.height * 2, : canvas.width * 2])


def faceted(
    canvas: Canvas, *, across: int, moved: float = 0.38, contrast: float = 0.1, seam: float = 0
) -> Image.Image:
    """Triangles whose corners are moved by chance, each lit a little differently."""
    step, random = canvas.unit * 2 / across, canvas.random
    columns, rows = int(canvas.width * 2 / step) + 3, int(canvas.height * 2 / step) + 3
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=2)
    corners = ((grid - 0.5 + random.uniform(-moved, moved, grid.shape)) * step).tolist()
    small = to_image(canvas.rgb).resize((columns * 2, rows * 2), Image.Resampling.BOX)
    colours, scale = np.asarray(small), (small.width / canvas.width / 2, small.height / canvas.height / 2)
    image = Image.new("RGB", (canvas.width * 2, canvas.height * 2))
    pen = ImageDraw.Draw(image)
    for upper, lower in pairwise(corners):
        for (a, b), (c, d) in zip(pairwise(upper), pairwise(lower), strict=True):
            turned = moved and random.random() < 0.5
            for triangle, shade in (((a, b, d if turned else c), 1), ((d, c, a if turned else b), -1)):
                x, y = (
                    int(sum(axis) / 3 * by)
                    for axis, by in zip(zip(*triangle, strict=True), scale, strict=True)
                )
                lit = 1 + contrast * (random.uniform(-1, 1) if moved else shade)
                paint = colours[np.clip(y, 0, small.height - 1), np.clip(x, 0, small.width - 1)] * lit
                points = [(px, py) for px, py in triangle]
                pen.polygon(points, fill=tuple(paint.clip(0, 255).astype(int).tolist()))
                if seam:
                    pen.line(points, fill=tuple((paint * seam).clip(0, 255).astype(int).tolist()), width=2)
    return image


def _steps(grey: Image.Image, reach: int = 5) -> Array:
    """The largest difference within a small square around each pixel."""
    return to_array(grey.filter(ImageFilter.MaxFilter(reach))) - to_array(
        grey.filter(ImageFilter.MinFilter(reach))
    )


STYLES: dict[str, Callable[[Canvas], Image.Image]] = {
    "": graded,
    "enhance": partial(graded, saturation=1.25, contrast=1.12, bloom=0.2),
    "photographic": partial(graded, saturation=0.85, contrast=1.1, bloom=0.45, vignette=0.35, grain=6),
    "digital-art": partial(graded, tint="80748c", saturation=1.5, contrast=1.1, grain=2),
    "fantasy-art": partial(graded, tint="947a98", saturation=1.3, bloom=0.8, vignette=0.4),
    "analog-film": partial(graded, tint="96866c", saturation=0.7, contrast=0.85, grain=12, vignette=0.4),
    "cinematic": partial(graded, tint="746e78", saturation=0.9, contrast=1.3, vignette=0.5),
    "anime": partial(outlined, ink="2a2440", levels=9, saturation=1.35, lines=5),
    "comic-book": partial(outlined, ink="15131c", levels=5, saturation=1.8, lines=14),
    "line-art": partial(outlined, ink="23242b", tones=("d9d2c2", "f1ebdc", "faf6ec"), lines=12, contours=9),
    "neon-punk": partial(
        outlined, ink="ff4fd0", tones=("07051a", "140a33", "2c1257", "2f4fc0"), lines=12, contours=6, glow=1.6
    ),
    "modeling-compound": partial(outlined, ink="3a2a2a", levels=4, saturation=1.1, softness=0.012, lines=3),
    "pixel-art": partial(tiled, across=80, colours=24),
    "tile-texture": partial(tiled, across=28, colours=64, seam=0.75),
    "isometric": partial(faceted, across=36, moved=0, contrast=0.12),
    "low-poly": partial(faceted, across=30),
    "origami": partial(faceted, across=12, contrast=0.2, seam=1.15),
    "3d-model": partial(faceted, across=44, moved=0.12, contrast=0.03, seam=0.8),
}
STYLE_NAMES = tuple(filter(None, STYLES))  # "" is no style
