"""One module per kind of scene; each paints into a `Painting`."""

from __future__ import annotations

from collections.abc import Callable

from generations.sandbox.art.painting import Painting
from generations.sandbox.art.scenes import (
    aurora,
    balloons,
    city,
    dunes,
    flower,
    ink,
    leaves,
    paper,
    planet,
    ridges,
    sea,
    spheres,
    tiles,
)

SCENES: dict[str, Callable[[Painting], None]] = {
    "aurora": aurora.paint,
    "planet": planet.paint,
    "city": city.paint,
    "flower": flower.paint,
    "leaves": leaves.paint,
    "paper": paper.paint,
    "ink": ink.paint,
    "spheres": spheres.paint,
    "tiles": tiles.paint,
    "balloons": balloons.paint,
    "dunes": dunes.paint,
    "sea": sea.paint,
    "ridges": ridges.paint,
}
