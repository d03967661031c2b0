"""What scenes are drawn with: palettes, noise, and a canvas of colours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

Array = npt.NDArray[Any]  # float32 as stored; numpy's stubs widen every sum to float64
Polygon = list[tuple[float, float]]

NOISE_SIDE = 512
NOISE_VARIANTS = 5


def colour(code: str) -> Array:
    """A colour 0..1 from its six hexadecimal digits."""
    return (np.frombuffer(bytes.fromhex(code), dtype=np.uint8) / 255).astype(np.float32)


def ramp(stops: Array, amounts: Array) -> Array:
    """Colours along evenly spaced stops, at amounts 0..1."""
    at, places = np.linspace(0, 1, 1024), np.linspace(0, 1, len(stops))
    table = np.stack([np.interp(at, places, stops[:, channel]) for channel in range(3)], axis=1)
    result: Array = table.astype(np.float32)[np.clip(amounts * 1023, 0, 1023).astype(np.int16)]
    return result


@dataclass(frozen=True)
class Palette:
    """The sky from zenith to horizon, the colour of what is near, and of the light."""

    sky: Array
    near: Array
    light: Array
    is_night: bool = False

    def at_distance(self, nearness: float) -> Array:
        """The colour of a solid thing between the haze at the horizon (0) and right here (1)."""
        result: Array = self.sky[-1] + (self.near - self.sky[-1]) * np.float32(nearness)
        return result


# Words of a prompt that ask for a palette: sky from zenith to horizon, near, light.
PALETTES = {
    "dawn sunrise morning first early warm pastel": "2b3566 6a5a92 d98a92 f4c6a0 171c38 fff2d2",
    "dusk sunset evening twilight romantic magenta": "2a1f4d 6d3f86 cf5f92 f9a878 190f2c ffe2a4",
    "mist misty fog foggy haze calm muted quiet": "7fa9ab a9c6c0 d3ded2 eceadb 0f3338 fffbea",
    "night midnight moon moonlight star stars dark aurora space": "060a1e 0d1a3c 16375e 2b6a80 030812 eaf6ff",
    "gold golden sand desert sunny amber yellow autumn": "4f7d9c a9c0bd f0dcae ffd493 4a2417 fff6d8",
    "winter snow snowy ice cold frozen arctic white": "5f7fa8 9db9d6 d2e0ec f3f3f0 1d3149 ffffff",
    "rose pink blush coral peach flower blossom spring": "6b4f8c b67aa6 eba8b4 fbdcc8 3a1c3c fff1e0",
    "fire ember lava red hot volcano orange": "2b0f1f 7a1f33 d94f3a ffb45e 1a0710 ffedb8",
    "forest green jungle moss garden leaf leaves": "2f5d5a 6d9a83 b8cfa0 ecebc4 0c2620 fffbdc",
    "blue ocean summer clear azure day": "123a6d 2f74b5 86bfe0 e6f1ec 0b2340 fffdf0",
    "violet purple lavender magic fantasy dream neon": "1d1145 4a2a8c 8f56c9 e6a6e0 0f0828 fdeaff",
    "teal turquoise emerald lagoon tropical cyan": "0b3b46 1f7178 6fb5a9 e3ecd2 062028 fffbe0",
}


def choose_palette(words: list[str], random: np.random.Generator) -> Palette:
    """A palette that the words ask for, or any; chance turns its hues a little."""
    fitting = [names for names in PALETTES if set(names.split()) & set(words)] or list(PALETTES)
    names = str(random.choice(fitting))
    colours = np.stack([colour(code) for code in PALETTES[names].split()])
    grey = colours.mean(axis=1, keepdims=True)
    turned = np.cross(np.full_like(colours, 3**-0.5), colours - grey)
    angle = np.radians(random.uniform(-14, 14))
    turned = np.clip(grey + (colours - grey) * np.cos(angle) + turned * np.sin(angle), 0, 1).astype(
        np.float32
    )
    return Palette(turned[:4], turned[4], turned[5], is_night=names.startswith("night"))


@lru_cache(maxsize=32)
def _noise(beta: float, variant: int) -> Array:
    """A square of noise with a 1/f^beta spectrum that tiles, of mean 0 and deviation 1."""
    random = np.random.default_rng([variant, int(beta * 100)])
    spectrum = np.fft.rfft2(random.standard_normal((NOISE_SIDE, NOISE_SIDE)))
    frequency = np.hypot(np.fft.fftfreq(NOISE_SIDE)[:, None], np.fft.rfftfreq(NOISE_SIDE)[None, :])
    frequency[0, 0] = np.inf
    field = np.fft.irfft2(spectrum * frequency ** (-beta / 2), s=(NOISE_SIDE, NOISE_SIDE))
    result: Array = (field / field.std()).astype(np.float32)
    return result


class Canvas:
    """Colours (height, width, 3) of 0..1, and the tools to put them there."""

    def __init__(self, size: tuple[int, int], palette: Palette, random: np.random.Generator) -> None:
        self.width, self.height = self.size = size
        self.palette, self.random = palette, random
        self.unit = float(np.sqrt(self.width * self.height))
        self.x = (np.arange(self.width, dtype=np.float32) + 0.5)[None, :]
        self.y = (np.arange(self.height, dtype=np.float32) + 0.5)[:, None]
        self.rgb = np.zeros((self.height, self.width, 3), dtype=np.float32)

    def noise(self, beta: float) -> Array:
        """A square of noise, shifted by chance; the larger beta the smoother."""
        field = _noise(beta, int(self.random.integers(NOISE_VARIANTS)))
        return np.roll(field, self.random.integers(NOISE_SIDE, size=2), axis=(0, 1))

    def clouds(self, beta: float, size: tuple[int, int], across: float, down: float) -> Array:
        """Noise of (width, height) that shows these shares of a square."""
        shown = self.noise(beta)[: max(4, int(NOISE_SIDE * down)), : max(4, int(NOISE_SIDE * across))]
        image = Image.fromarray(np.ascontiguousarray(shown))
        return np.asarray(image.resize(size, Image.Resampling.BICUBIC))

    def profile(self, beta: float, waves: float) -> Array:
        """A line of noise 0..1 over the width, without waves longer than width / `waves`."""
        count = 2048
        frequency = np.arange(count // 2 + 1)
        spectrum = np.fft.rfft(self.random.standard_normal(count))
        spectrum *= (frequency >= waves * 2) * np.maximum(frequency, 1) ** (-beta / 2)
        line = np.fft.irfft(spectrum, count)[: count // 2]
        line = (line - line.min()) / np.ptp(line)
        places = np.linspace(0, len(line) - 1, self.width)
        result: Array = np.interp(places, np.arange(len(line)), line).astype(np.float32)
        return result

    def lay(self, mask: Array, paint: Array, top: int = 0) -> None:
        """Put paint (a colour or an image) where the mask is, from a row on."""
        under = self.rgb[top : top + mask.shape[0]]
        under += (paint - under) * mask[..., None]

    def glow(self, centre: tuple[float, float], radius: float, strength: float) -> None:
        """Add light that falls off around a point given in pixels."""
        reach = radius * self.unit
        falling = strength / (1 + ((self.x - centre[0]) ** 2 + (self.y - centre[1]) ** 2) * (4 / reach**2))
        self.rgb += (1 - self.rgb) * (falling[..., None] * self.palette.light)

    def disc(self, centre: tuple[float, float], radius: float) -> None:
        """Put a disc of light at a point given in pixels; the radius is a share of the unit."""
        distance = np.sqrt((self.x - centre[0]) ** 2 + (self.y - centre[1]) ** 2)
        self.lay(np.clip(radius * self.unit - distance + 0.5, 0, 1), self.palette.light)

    def polygons(self, shapes: list[Polygon], top: int, bottom: int) -> Array:
        """The smooth mask of shapes given in pixels, between two rows."""
        image = Image.new("L", (self.width * 2, (bottom - top) * 2))
        pen = ImageDraw.Draw(image)
        for shape in shapes:
            pen.polygon([(x * 2, (y - top) * 2) for x, y in shape], fill=255)
        return np.asarray(image.reduce(2), dtype=np.float32) / 255


def to_image(values: Array) -> Image.Image:
    """Values 0..1 as an 8-bit image, of colours or of grey."""
    return Image.fromarray((np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8))


def to_array(image: Image.Image) -> Array:
    """An 8-bit image as values 0..1."""
    return np.asarray(image, dtype=np.float32) * np.float32(1 / 255)


def blurred(values: Array, radius: float) -> Array:
    """A field or colours 0..1 blurred by so many pixels; wide blurs work on a smaller copy."""
    image = to_image(values)
    shrink = max(1, int(radius / 3))
    small = image.reduce(shrink).filter(ImageFilter.GaussianBlur(radius / shrink))
    return to_array(small.resize(image.size, Image.Resampling.BILINEAR))
