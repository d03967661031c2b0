"""Northern lights over a still lake, with firs in silhouette and many stars."""

from __future__ import annotations

import numpy as np

from generations.sandbox.art import noise
from generations.sandbox.art.painting import Painting, Polygon
from generations.sandbox.art.palette import Array, colour, mix
from generations.sandbox.art.scenes.ridges import fir

SKY = ("050818", "0a1530", "0f2a48", "174a5c")
CURTAINS = 4


def paint(painting: Painting) -> None:
    """Sky, stars, curtains of light, mountains, the far shore, and all of it in the water."""
    shore = float(painting.random.uniform(0.7, 0.76))
    painting.fill_sky(SKY, shore)
    painting.stars(int(painting.unit * 0.9), shore)
    for curtain in range(CURTAINS):
        hang_curtain(painting, curtain, shore)
    add_mountains(painting, shore)
    add_shore(painting, shore)
    mirror(painting, shore)


def hang_curtain(painting: Painting, index: int, shore: float) -> None:
    """One curtain: bright along its lower hem, fading upwards from green to violet."""
    random, height = painting.random, painting.height
    hem = noise.profile(random, painting.width, 3.0, 1.0)
    middle = 0.2 + 0.36 * index / CURTAINS + random.uniform(-0.04, 0.04)
    line = height * shore * (middle + 0.55 * (hem - 0.5))
    folds = noise.profile(random, painting.width, 1.5, 4) ** 1.5
    slow = noise.profile(random, painting.width, 2.8, 1)
    reach = height * (0.1 + 0.32 * folds * slow + 0.12 * slow)
    above = (line[None, :] - painting.y) / reach[None, :]
    rising = np.where(above > 0, np.exp(-np.clip(above, 0, 20) * 1.35), np.exp(np.clip(above, -20, 0) * 9))
    streaks = 0.72 + 0.28 * noise.profile(random, painting.width, 0.7, 8)
    strength = rising * (streaks * (0.3 + 0.7 * slow) * (0.45 + 0.55 * folds))[None, :]
    low, high = curtain_colours(painting, index)
    share = np.clip(above * 0.55, 0, 1)[..., None]
    painting.screen((strength * 1.05).astype(np.float32), low + (high - low) * share)


def curtain_colours(painting: Painting, index: int) -> tuple[Array, Array]:
    """The colour at the hem and the one high up."""
    accent = colour(painting.palette.accents[0])
    if accent[1] == accent.max():  # a green palette: the lights as they mostly are
        return colour(("4ff0b0", "3fe0c0", "7df0a0", "4fd6d0")[index]), colour("6a4fe0")
    accents = painting.palette.accents
    return mix(colour(accents[index % 4]), colour("5ff0b8"), 0.35), colour(accents[(index + 1) % 4])


def add_mountains(painting: Painting, shore: float) -> None:
    """Two ranges, barely lighter than the night."""
    for nearness, tall, tone in ((0.4, 0.3, "123049"), (0.55, 0.17, "0b2036")):
        jagged = noise.profile(painting.random, painting.width, 2.5, 1.3)
        line = painting.height * (shore - tall * jagged**1.5)
        mask, top = painting.below(line.astype(np.float32))
        painting.lay(mask, colour(tone), nearness, top)


def add_shore(painting: Painting, shore: float) -> None:
    """A line of firs along the far shore."""
    random, width = painting.random, painting.width
    groves = noise.profile(random, width, 1.6, 3)
    tallest = painting.unit * 0.1
    shapes: list[Polygon] = []
    for place in np.sort(random.random(int(width / (tallest * 0.1)))) * width:
        height = tallest * (0.2 + 0.8 * float(groves[min(int(place), width - 1)]) ** 1.5)
        shapes.append(
            fir(random, float(place), painting.height * shore + 1, height * random.uniform(0.6, 1.1))
        )
    foot = painting.height * (shore - 0.012 * groves)
    shapes.append(
        [(0, painting.height * shore + 2), *enumerate(foot.tolist()), (width, painting.height * shore + 2)]
    )
    painting.lay(painting.polygons(shapes), colour("040a14"), 0.8)


def mirror(painting: Painting, shore: float) -> None:
    """The lake: the scene upside down, darker, drawn apart by ripples."""
    top = int(painting.height * shore)
    rows = painting.height - top
    ripples = noise.cloud(painting.random, (painting.width, rows), 2.0, 0.5, 1.0)
    depth = np.arange(rows, dtype=np.float32)[:, None]
    source = np.clip(top - 1 - depth * (top / max(rows, 1)) * 0.82 + ripples * (1 + depth * 0.1), 0, top - 1)
    columns = np.arange(painting.width)[None, :] + (ripples * 1.5).astype(int)
    reflected = painting.rgb[source.astype(int), np.clip(columns, 0, painting.width - 1)]
    dimming = 0.62 - 0.25 * depth[..., None] / rows
    glint = (1 + 0.12 * ripples)[..., None]
    painting.rgb[top:] = reflected * dimming * glint + colour("04101c") * 0.25
    painting.nearness[top:] = 0.9
