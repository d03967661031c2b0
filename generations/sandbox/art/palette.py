"""Colours, mixed in OKLab (https://bottosson.github.io/posts/oklab/) so that ramps stay clean."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]  # float32 as stored; numpy's stubs widen every sum to float64

TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
FROM_CONES, FROM_LAB = np.linalg.inv(TO_CONES), np.linalg.inv(TO_LAB)


def to_oklab(colours: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """sRGB 0..1 to OKLab, along the last axis."""
    srgb = np.asarray(colours, dtype=np.float64)
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ TO_CONES.T) @ TO_LAB.T)


def from_oklab(lab: npt.ArrayLike) -> Array:
    """OKLab to sRGB 0..1, clipped to what a screen shows."""
    linear = np.clip(((np.asarray(lab) @ FROM_LAB.T) ** 3) @ FROM_CONES.T, 0, 1)
    srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    rgb: Array = srgb.astype(np.float32)
    return rgb


def colour(code: str) -> Array:
    """A colour from its six hexadecimal digits."""
    return (np.frombuffer(bytes.fromhex(code), dtype=np.uint8) / 255).astype(np.float32)


def hexadecimal(paint: npt.ArrayLike) -> str:
    """A colour as its six digits, as ramps take them."""
    return bytes((np.clip(np.asarray(paint), 0, 1) * 255).astype(np.uint8)).hex()


def mix(first: npt.ArrayLike, second: npt.ArrayLike, share: float) -> Array:
    """A colour between two: share 0 is the first, 1 the second."""
    return from_oklab(to_oklab(first) * (1 - share) + to_oklab(second) * share)


@lru_cache(maxsize=128)
def ramp(codes: tuple[str, ...], steps: int = 256) -> Array:
    """Colours along several stops, as a table of `steps` rows."""
    stops = to_oklab(np.array([colour(code) for code in codes]))
    at, places = np.linspace(0, 1, steps), np.linspace(0, 1, len(codes))
    return from_oklab(np.stack([np.interp(at, places, stops[:, channel]) for channel in range(3)], axis=1))


def shade(codes: tuple[str, ...], amounts: npt.ArrayLike) -> Array:
    """Look amounts of 0..1 up in a ramp."""
    table = ramp(codes)
    places = np.clip(np.asarray(amounts, dtype=np.float32) * 255, 0, 255).astype(np.uint8)
    return table[places]


def adjust(rgb: Array, *, saturation: float = 1.0, contrast: float = 1.0, lift: float = 0.0) -> Array:
    """Saturation, contrast around the middle, and a lift of everything; not clipped."""
    grey = rgb @ np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
    moved = grey[..., None] * (1 - saturation) + rgb * saturation
    result: Array = (moved - 0.5) * contrast + (0.5 + lift)
    return result


@dataclass(frozen=True)
class Palette:
    """The light of a place: the sky from zenith to horizon, what is near, and accents."""

    sky: tuple[str, ...]
    near: str
    light: str  # the sun, the moon, lit windows
    accents: tuple[str, ...]
    night: bool = False

    @cached_property
    def haze(self) -> Array:
        """What far things fade into."""
        return colour(self.sky[-1])

    def distance(self, nearness: float) -> Array:
        """The colour of a solid thing between the haze (0) and right here (1)."""
        return mix(self.haze, colour(self.near), nearness)


PALETTES = {
    "dawn": Palette(
        ("2b3566", "6a5a92", "d98a92", "f4c6a0"), "171c38", "fff2d2", ("f2a477", "7b6aa6", "e9c9a0", "c8646d")
    ),
    "dusk": Palette(
        ("2a1f4d", "6d3f86", "cf5f92", "f9a878"), "190f2c", "ffe2a4", ("f26d6d", "8d5bb5", "ffc46b", "4a6fb5")
    ),
    "mist": Palette(
        ("7fa9ab", "a9c6c0", "d3ded2", "eceadb"), "0f3338", "fffbea", ("2f6f6d", "d8a45f", "7fb2a6", "c96f53")
    ),
    "night": Palette(
        ("060a1e", "0d1a3c", "16375e", "2b6a80"),
        "030812",
        "eaf6ff",
        ("5fe0b4", "7c6df2", "f0c76b", "3fa7d6"),
        True,
    ),
    "gold": Palette(
        ("4f7d9c", "a9c0bd", "f0dcae", "ffd493"), "4a2417", "fff6d8", ("d8873f", "8a3f24", "f3c26b", "4f7d8c")
    ),
    "winter": Palette(
        ("5f7fa8", "9db9d6", "d2e0ec", "f3f3f0"), "1d3149", "ffffff", ("7ea6cf", "c9d8e6", "e6a28c", "39597f")
    ),
    "rose": Palette(
        ("6b4f8c", "b67aa6", "eba8b4", "fbdcc8"), "3a1c3c", "fff1e0", ("e0607e", "f2a3a0", "8d6bb0", "f6d3a2")
    ),
    "ember": Palette(
        ("2b0f1f", "7a1f33", "d94f3a", "ffb45e"), "1a0710", "ffedb8", ("f2643d", "ffc857", "a72d4b", "5b2a5e")
    ),
    "forest": Palette(
        ("2f5d5a", "6d9a83", "b8cfa0", "ecebc4"), "0c2620", "fffbdc", ("3f8f63", "e0a94f", "86b56b", "c9573f")
    ),
    "blue": Palette(
        ("123a6d", "2f74b5", "86bfe0", "e6f1ec"), "0b2340", "fffdf0", ("2f9fc9", "f2b46b", "e8705f", "1d5f99")
    ),
    "spring": Palette(
        ("6fb1d6", "a8d5de", "dcecd8", "fdf3d6"), "24533f", "fffbe4", ("f08ba0", "7fbf7a", "f7cf6b", "5f8fd1")
    ),
    "mono": Palette(
        ("6f7276", "a3a5a6", "cfcfcb", "efeee8"), "1b1d20", "ffffff", ("505458", "8b8e90", "c4c3bd", "2b2e31")
    ),
    "violet": Palette(
        ("1d1145", "4a2a8c", "8f56c9", "e6a6e0"), "0f0828", "fdeaff", ("c86bf0", "5b7cf0", "f08bc0", "f2d06b")
    ),
    "teal": Palette(
        ("0b3b46", "1f7178", "6fb5a9", "e3ecd2"), "062028", "fffbe0", ("1f9e95", "f2a65a", "d9573f", "a7d8c0")
    ),
}
