"""A botanical plate: stems with paired leaves, some with berries, in flat gouache."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generations.sandbox.art import noise
from generations.sandbox.art.painting import Painting, Pen, Polygon
from generations.sandbox.art.palette import Array, colour, mix

STEMS = 11


def paint(painting: Painting) -> None:
    """A toned ground, then stems from the back to the front."""
    ground, greens = tones(painting)
    texture = noise.cloud(painting.random, painting.size, 1.6) * 0.012
    texture += noise.cloud(painting.random, painting.size, 3.0) * 0.03
    painting.rgb[:] = ground * (1 + texture[..., None])
    pen = painting.pen()
    count = max(5, round(STEMS * painting.width / painting.height * 0.85))
    places = np.linspace(0.1, 0.9, count) + painting.random.uniform(-0.03, 0.03, count)
    for order, index in enumerate(painting.random.permutation(count)):
        grow(painting, pen, float(places[index]), greens, 0.3 + 0.6 * order / count)
    pen.finish()
    painting.rgb *= 1 + 0.018 * noise.cloud(painting.random, painting.size, 1.2)[..., None]


def tones(painting: Painting) -> tuple[Array, list[Array]]:
    """The ground and four leaf colours: light leaves on a dark ground, or the reverse."""
    palette = painting.palette
    if palette.night:
        greens = [colour(code) for code in ("1d6b52", "2f8f68", "0f4f45", "a6d6a0")]
        return colour("0b1f1f"), greens
    leaf = [mix(colour(palette.near), colour(palette.accents[0]), share) for share in (0.25, 0.6)]
    leaf += [mix(colour("1f5a48"), colour(palette.accents[2]), share) for share in (0.2, 0.55)]
    return mix(colour(palette.sky[-1]), colour("f3efe2"), 0.6), leaf


def grow(painting: Painting, pen: Pen, place: float, greens: list[Array], nearness: float) -> None:
    """One stem with leaves that get smaller towards its tip."""
    random = painting.random
    lean = (place - 0.5) * random.uniform(0.25, 0.5) + random.uniform(-0.05, 0.05)
    foot = np.array([0.5 + (place - 0.5) * 0.55, 1.04]) * [painting.width, painting.height]
    middle = 1 - abs(place - 0.5)
    tip_height = random.uniform(0.08, 0.32) + 0.2 * (1 - middle)
    tip = np.array([place + lean * 0.35, tip_height]) * [painting.width, painting.height]
    bend = np.array([foot[0] + (tip[0] - foot[0]) * 0.25, (foot[1] + tip[1]) / 2])
    steps = np.linspace(0, 1, 60)[:, None]
    stem = (1 - steps) ** 2 * foot + 2 * steps * (1 - steps) * bend + steps**2 * tip
    tone = greens[int(random.integers(len(greens)))]
    pen.line([(float(x), float(y)) for x, y in stem], tone * 0.8, painting.unit * 0.0026, nearness)
    add_leaves(painting, pen, stem, tone, nearness)
    if random.random() < 0.4:
        add_berries(painting, pen, stem, nearness)


def add_leaves(painting: Painting, pen: Pen, stem: Array, tone: Array, nearness: float) -> None:
    """Pairs of leaves along the upper two thirds, and one at the tip."""
    random = painting.random
    pairs = int(random.integers(9, 15))
    leaf = Leaf(float(random.uniform(0.3, 0.48)), tone, nearness)
    for place in np.linspace(random.uniform(0.24, 0.42), 0.97, pairs):
        at = int(place * (len(stem) - 2))
        along = stem[at + 1] - stem[at]
        direction = float(np.arctan2(along[1], along[0]))
        length = painting.unit * 0.1 * (1.12 - place * 0.78) * random.uniform(0.9, 1.1)
        for side in (-1, 1):
            angle = direction + side * random.uniform(0.62, 0.85)
            leaf.draw(pen, stem[at], angle, length, lit_side=-side)
    end = stem[-1] - stem[-3]
    leaf.draw(pen, stem[-1], float(np.arctan2(end[1], end[0])), painting.unit * 0.035, lit_side=-1)


@dataclass(frozen=True)
class Leaf:
    """What the leaves of one stem share: their width as a share of length, colour, distance."""

    broad: float
    tone: Array
    nearness: float

    def draw(self, pen: Pen, at: Array, angle: float, length: float, *, lit_side: int) -> None:
        """Draw one in two halves, the one turned to the light being paler."""
        along = np.linspace(0, 1, 13)
        width = np.sin(along**0.8 * np.pi) * length * self.broad * 0.5
        forward, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        spine = at + along[:, None] * length * forward
        pale = mix(self.tone, colour("f6f3d0"), 0.2)
        for half in (-1, 1):
            edge = spine + half * width[:, None] * across
            shape: Polygon = [(float(x), float(y)) for x, y in (*spine, *edge[::-1])]
            lit = half == lit_side
            pen.polygon(shape, pale if lit else self.tone * 0.86, self.nearness - 0.04 * lit)


def add_berries(painting: Painting, pen: Pen, stem: Array, nearness: float) -> None:
    """Clusters of berries with a spot of light each."""
    random, accents = painting.random, painting.palette.accents
    hues = [colour(accents[0]), colour(accents[2])] if not painting.palette.night else None
    for place in random.uniform(0.4, 0.95, int(random.integers(8, 16))):
        x, y = stem[int(place * (len(stem) - 1))] + random.normal(0, painting.unit * 0.02, 2)
        radius = painting.unit * float(random.uniform(0.0045, 0.0085))
        choice = int(random.integers(2))
        tone = hues[choice] if hues else colour(("f0b548", "e0763c")[choice])
        pen.circle((float(x), float(y)), radius, tone, nearness + 0.05)
        spot = (float(x) - radius * 0.3, float(y) - radius * 0.35)
        pen.circle(spot, radius * 0.3, mix(tone, colour("ffffff"), 0.6), nearness + 0.05)
