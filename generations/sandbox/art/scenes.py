"""The three scenes: mountain ridges, open water, and folds of silk."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from generations.sandbox.art.canvas import NOISE_SIDE, Array, Canvas, Polygon, ramp, to_array, to_image

RIDGES = 6


def draw_ridges(canvas: Canvas) -> None:
    """Ridge behind ridge in haze under a low sun, with firs on the nearest."""
    horizon = float(canvas.random.uniform(0.5, 0.6))
    draw_sky(canvas, horizon, horizon * canvas.random.uniform(0.45, 0.75))
    for layer in range(RIDGES):
        nearness = layer / (RIDGES - 1)
        line = ridge_line(canvas, nearness, horizon)
        trees = firs(canvas, line, nearness) if nearness > 0.55 else []
        top = int(np.clip(min([line.min(), *(tree[0][1] for tree in trees)]) - 2, 0, canvas.height - 1))
        depth = canvas.y[top:] - line
        mask = np.clip(depth + 0.5, 0, 1)
        if trees:
            mask = np.maximum(mask, canvas.polygons(trees, top, canvas.height))
        body = canvas.palette.at_distance(0.1 + 0.88 * nearness**1.2)
        fog = canvas.palette.at_distance((0.1 + 0.88 * nearness**1.2) * (0.3 + 0.35 * nearness))
        wash = canvas.clouds(2.4, (canvas.width, canvas.height - top), 0.35, 0.6)
        below = canvas.y[top:] - (line * 0.4 + line.mean() * 0.6)
        fading = np.clip(below / (canvas.height * 0.26) + 0.1 + wash * 0.06, 0, 1)[..., None]
        canvas.lay(mask, body + (fog - body) * fading, top)


def ridge_line(canvas: Canvas, nearness: float, horizon: float) -> Array:
    """Heights in pixels: far ridges high and jagged, near ones low and rolling."""
    peaks = canvas.profile(3.0, (0.7 + 0.7 * (1 - nearness)) * canvas.width / canvas.unit)
    base = horizon + (1 - horizon) * nearness**1.05 * 0.9
    tall = min(canvas.height, canvas.unit * 1.15) * (0.3 - 0.13 * nearness)
    result: Array = (canvas.height * base - tall * (peaks ** (1.4 - 0.4 * nearness) - 0.25)).astype(
        np.float32
    )
    return result


def firs(canvas: Canvas, line: Array, nearness: float) -> list[Polygon]:
    """Fir trees along a ridge as zigzag outlines, taller where the grove is thick."""
    random, shapes = canvas.random, []
    groves = canvas.profile(1.8, 3)
    tallest = canvas.unit * (0.05 + 0.13 * (nearness - 0.55) / 0.45)
    for x in np.sort(random.random(int(canvas.width / tallest * 6)) * canvas.width):
        column = int(x)
        height = tallest * (0.25 + groves[column] ** 1.6) * random.uniform(0.6, 1.1)
        foot, width, boughs = line[column] + tallest * 0.12, height * random.uniform(0.15, 0.2), 9
        reach = np.linspace(0.08, 1, boughs) * width * random.uniform(0.8, 1.15, boughs)
        levels = foot - height * (1 - np.linspace(0.06, 0.95, boughs))
        outline = [(0.0, foot - height)]
        for level, extent in zip(levels, reach, strict=True):
            outline += [(extent, level + height * 0.03), (extent * 0.42, level)]
        outline.append((width * 0.2, foot))
        shapes.append([(x + dx, y) for dx, y in outline] + [(x - dx, y) for dx, y in outline[:0:-1]])
    return shapes


def draw_sea(canvas: Canvas) -> None:
    """Open water under a low sun, whose light makes a path to the viewer."""
    random = canvas.random
    horizon = float(random.uniform(0.44, 0.54))
    sun = draw_sky(canvas, horizon, horizon - random.uniform(0.03, 0.14))
    top = int(canvas.height * horizon)
    for nearness in (0.2, 0.36):
        hills = (
            np.clip(canvas.profile(3.0, 0.8 * canvas.width / canvas.unit) - 0.35, 0, 1)
            * canvas.unit
            * random.uniform(0.08, 0.16)
        )
        canvas.lay(np.clip(canvas.y[:top] - (top - hills) + 0.5, 0, 1), canvas.palette.at_distance(nearness))
    near = ((np.arange(canvas.height - top, dtype=np.float32) + 0.7) / (canvas.height - top))[:, None]
    away = (canvas.x - sun) / np.float32(canvas.unit)
    waves = perspective_waves(canvas, near, away)
    sky = ramp(canvas.palette.sky, 0.9 - 0.8 * near**0.7 + waves * (0.05 + 0.2 * near))
    deep = canvas.palette.near * 0.55 + canvas.palette.sky[0] * 0.45
    water = sky + (deep - sky) * (0.32 + 0.4 * near[..., None])
    water *= (1 + 0.16 * waves * near**0.5)[..., None]
    within = np.exp(-((away / (0.045 + 0.16 * near)) ** 2))
    glints = np.clip(waves * 0.9 + 1.2 * within - 0.72 - 0.25 * near, 0, 1) * within * 1.9
    light = np.clip(glints + within * 0.28 * (1 - near * 0.6), 0, 0.96)[..., None]
    canvas.rgb[top:] = water + (canvas.palette.light - water) * light
    draw_boat(canvas, sun + canvas.unit * random.choice([-1, 1]) * random.uniform(0.09, 0.2), top)


def perspective_waves(canvas: Canvas, near: Array, away: Array) -> Array:
    """Tiling noise seen at a flat angle; far rows blur into evenness."""
    distance = 1 / (near + 0.012)
    total = np.zeros((near.shape[0], canvas.width), dtype=np.float32)
    for beta, scale, weight in ((2.6, 30.0, 0.4), (2.1, 75.0, 0.55), (1.7, 150.0, 0.35)):
        columns = (away * (distance * np.float32(scale))).astype(np.int32) % NOISE_SIDE
        rows = (distance * scale * 3.2).astype(np.int32) % NOISE_SIDE
        total += canvas.noise(beta)[rows, columns] * np.float32(weight)
    result: Array = total * np.clip(near * 14, 0.12, 1)
    return result


def draw_boat(canvas: Canvas, x: float, horizon: int) -> None:
    """A small sailing boat with its reflection."""
    size = canvas.unit * canvas.random.uniform(0.035, 0.07)
    y = horizon + size * 0.55
    hull = [(-0.5, 0.0), (0.55, 0.0), (0.36, 0.16), (-0.36, 0.16)]
    sails = [[(0.03, -1.25), (0.5, -0.08), (0.03, -0.08)], [(-0.03, -1.05), (-0.45, -0.08), (-0.03, -0.08)]]
    dark = canvas.palette.at_distance(0.88)
    sail = dark * 0.58 + canvas.palette.light * 0.42
    top, bottom = max(0, int(y - size * 1.3)), min(canvas.height, int(y + size * 1.2))
    for shapes, stretch, paint, amount in (
        (sails, -0.6, dark, 0.25),
        (sails, 1.0, sail, 1.0),
        ([hull], 1.0, dark, 1.0),
    ):
        placed = [[(x + dx * size, y + dy * size * stretch) for dx, dy in shape] for shape in shapes]
        canvas.lay(canvas.polygons(placed, top, bottom) * amount, paint, top)


def draw_sky(canvas: Canvas, horizon: float, sun: float) -> float:
    """A sky down to the horizon with a sun or moon, both shares of the height; the sun's column."""
    random, palette = canvas.random, canvas.palette
    canvas.rgb[:] = ramp(palette.sky, canvas.y / (canvas.height * horizon))
    rows = int(canvas.height * horizon)
    if palette.is_night:
        count = int(canvas.unit * 0.6)
        across, down = random.integers(canvas.width, size=count), random.integers(rows, size=count)
        canvas.rgb[down, across] += random.random((count, 1)) ** 2
    centre = (canvas.width * random.uniform(0.25, 0.75), canvas.height * sun)
    canvas.glow(centre, 0.55, 0.42)
    bands = canvas.clouds(2.6, (canvas.width, rows), 0.35, 1.0) - 0.3
    fading = np.sin(np.linspace(0.1, 0.99, rows, dtype=np.float32) * np.pi) ** 1.5
    amount = np.clip(bands * fading[:, None] * random.uniform(0.1, 0.4), 0, 0.8)
    canvas.lay(amount, palette.light * 0.6 + palette.sky[-1] * 0.4)
    canvas.glow(centre, 0.16, 0.4)
    canvas.disc(centre, random.uniform(0.042, 0.065))
    return float(centre[0])


def draw_silk(canvas: Canvas) -> None:
    """Folds of silk: waves bent by noise, lit from one side."""
    random, palette = canvas.random, canvas.palette
    size = (canvas.width // 2, canvas.height // 2)
    across, down = 0.55 * canvas.width / canvas.unit, 0.55 * canvas.height / canvas.unit
    bend, tone = (canvas.clouds(7.0, size, min(1, across), min(1, down)) for _ in range(2))
    angle = random.uniform(0, np.pi)
    along = (
        canvas.x[:, ::2][:, : size[0]] * np.cos(angle) + canvas.y[::2][: size[1]] * np.sin(angle)
    ) / canvas.unit
    phase = along * random.uniform(7, 12) + bend * random.uniform(2.4, 3.4)
    height = np.sin(phase + 0.8 * np.sin(phase + tone)) + 0.35 * np.sin(phase * 2.3 + tone * 2)
    slope_y, slope_x = np.gradient(height)
    light = (slope_x * 0.8 + slope_y * 0.6) * (canvas.unit / 2 * 0.022)
    stops = np.stack([palette.near, *palette.sky, palette.light])
    shade = 0.5 + 0.2 * np.tanh(tone) + 0.13 * height + 0.26 * np.tanh(light)
    colours = ramp(stops, shade)
    colours += (palette.light - colours) * (np.clip(np.tanh(light) - 0.55, 0, 1) * 0.9)[..., None]
    canvas.rgb = to_array(to_image(colours).resize(canvas.size, Image.Resampling.BICUBIC))


# Words of a prompt that ask for a scene.
SCENES: dict[str, Callable[[Canvas], None]] = {
    "mountain mountains ridge ridges forest valley hill hills fir firs tree landscape castle": draw_ridges,
    "sea ocean beach coast harbour water lake boat boats ship lighthouse island river sailing": draw_sea,
    "silk abstract fabric liquid fluid wave waves texture pattern gradient ink paint smoke logo": draw_silk,
}


def choose_scene(words: list[str], chance: int) -> Callable[[Canvas], None]:
    """The scene that the first such word asks for; otherwise the one that chance names."""
    for word in words:
        for names, scene in SCENES.items():
            if word in names.split():
                return scene
    return list(SCENES.values())[chance % len(SCENES)]
