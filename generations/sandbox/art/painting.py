"""A painting in progress: colours, and how near each pixel is, which line styles follow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from generations.sandbox.art.palette import Array, Palette, ramp

Polygon = list[tuple[float, float]]
OVERSAMPLING = 2


class Painting:
    """Colours (height, width, 3) and nearness (height, width), both 0..1 and float32."""

    def __init__(self, size: tuple[int, int], palette: Palette, random: np.random.Generator) -> None:
        self.width, self.height = size
        self.size = size
        self.palette = palette
        self.random = random
        self.unit = float(np.sqrt(self.width * self.height))
        self.rgb = np.zeros((self.height, self.width, 3), dtype=np.float32)
        self.nearness = np.zeros((self.height, self.width), dtype=np.float32)
        self.x = (np.arange(self.width, dtype=np.float32) + 0.5)[None, :]
        self.y = (np.arange(self.height, dtype=np.float32) + 0.5)[:, None]

    def fill_sky(self, codes: tuple[str, ...], horizon: float = 1.0) -> None:
        """A vertical ramp that ends at the horizon, a share of the height."""
        steps = np.clip(self.y[:, 0] / (self.height * horizon), 0, 1)
        self.rgb[:] = ramp(codes, 1024)[(steps * 1023).astype(int)][:, None, :]

    def lay(
        self, mask: Array, paint: npt.ArrayLike, nearness: float | None = None, top: int = 0, left: int = 0
    ) -> None:
        """Put paint (a colour or an image) where the mask is, its corner at (left, top)."""
        rows, columns = slice(top, top + mask.shape[0]), slice(left, left + mask.shape[1])
        under = self.rgb[rows, columns]
        under += (np.asarray(paint, dtype=np.float32) - under) * mask[..., None]
        if nearness is not None:
            below = self.nearness[rows, columns]
            below += (np.float32(nearness) - below) * mask

    def glow(self, centre: tuple[float, float], radius: float, paint: Array, strength: float) -> None:
        """Add light that falls off around a point (shares of width and height)."""
        across = (self.x - centre[0] * self.width) / (radius * self.unit)
        down = (self.y - centre[1] * self.height) / (radius * self.unit)
        falling = strength / (1 + (across * across + down * down) * 4)
        self.screen(falling.astype(np.float32), paint)

    def screen(self, amount: Array, paint: Array) -> None:
        """Add light without burning out."""
        self.rgb += (1 - self.rgb) * (amount[..., None] * paint)

    def disc(self, centre: tuple[float, float], radius: float, soft: float = 1.0) -> Array:
        """The mask of a round thing; the radius is a share of the unit, `soft` its edge in pixels."""
        across, down = self.x - centre[0] * self.width, self.y - centre[1] * self.height
        inside = (radius * self.unit - np.sqrt(across * across + down * down)) / soft + 0.5
        mask: Array = np.clip(inside, 0, 1).astype(np.float32)
        return mask

    def below(self, line: Array, soft: float = 1.0) -> tuple[Array, int]:
        """The mask of everything under a line of heights in pixels, and the row it starts at."""
        top = int(np.clip(line.min() - 2, 0, self.height - 1))
        return np.clip((self.y[top:] - line[None, :]) / soft + 0.5, 0, 1), top

    def polygons(self, shapes: list[Polygon], top: int = 0, bottom: int | None = None) -> Array:
        """The smooth mask of many shapes, in pixels, between two rows."""
        rows = (self.height if bottom is None else bottom) - top
        image = Image.new("L", (self.width * OVERSAMPLING, rows * OVERSAMPLING))
        pen = ImageDraw.Draw(image)
        for shape in shapes:
            pen.polygon([(x * OVERSAMPLING, (y - top) * OVERSAMPLING) for x, y in shape], fill=255)
        return np.asarray(image.reduce(OVERSAMPLING), dtype=np.float32) * np.float32(1 / 255)

    def pen(self) -> Pen:
        """Something to draw many coloured shapes with; `Pen.finish` brings them into the painting."""
        return Pen(self)

    def stars(self, count: int, lowest: float) -> None:
        """Scatter stars of different brightness above a share of the height."""
        across = self.random.integers(1, self.width - 1, count)
        down = (self.random.random(count) * (self.height * lowest - 2)).astype(int) + 1
        bright = (self.random.random(count) ** 3).astype(np.float32)[:, None]
        self.rgb[down, across] += bright * 0.9 + 0.06
        large = bright[:, 0] > 0.55
        for shift in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            rows, columns = down[large] + shift[0], across[large] + shift[1]
            self.rgb[np.clip(rows, 0, self.height - 1), columns] += bright[large] * 0.3


class Pen:
    """Draws shapes smoothly, over the colours and into the nearness at once."""

    def __init__(self, painting: Painting) -> None:
        self.painting = painting
        size = (painting.width * OVERSAMPLING, painting.height * OVERSAMPLING)
        self.colours = to_image(painting.rgb).resize(size, Image.Resampling.BILINEAR)
        self.nearness = to_image(painting.nearness).resize(size, Image.Resampling.BILINEAR)
        self._over, self._into = ImageDraw.Draw(self.colours), ImageDraw.Draw(self.nearness)

    def polygon(self, shape: Polygon, paint: npt.ArrayLike, nearness: float) -> None:
        """Fill a shape given in pixels."""
        points = [(x * OVERSAMPLING, y * OVERSAMPLING) for x, y in shape]
        self._over.polygon(points, fill=_bytes(paint))
        self._into.polygon(points, fill=int(nearness * 255))

    def line(self, points: Polygon, paint: npt.ArrayLike, width: float, nearness: float) -> None:
        """Draw a line through points."""
        scaled = [(x * OVERSAMPLING, y * OVERSAMPLING) for x, y in points]
        thick = max(1, round(width * OVERSAMPLING))
        self._over.line(scaled, fill=_bytes(paint), width=thick, joint="curve")
        self._into.line(scaled, fill=int(nearness * 255), width=thick)

    def circle(
        self, centre: tuple[float, float], radius: float, paint: npt.ArrayLike, nearness: float
    ) -> None:
        """Fill a circle."""
        (x, y), r = (centre[0] * OVERSAMPLING, centre[1] * OVERSAMPLING), radius * OVERSAMPLING
        self._over.ellipse((x - r, y - r, x + r, y + r), fill=_bytes(paint))
        self._into.ellipse((x - r, y - r, x + r, y + r), fill=int(nearness * 255))

    def finish(self) -> None:
        """Bring what was drawn into the painting."""
        self.painting.rgb[:] = to_array(self.colours.reduce(OVERSAMPLING))
        self.painting.nearness[:] = np.asarray(self.nearness.reduce(OVERSAMPLING), dtype=np.float32) / 255


def to_image(values: Array) -> Image.Image:
    """Values 0..1 as an 8-bit image, of colours or of grey."""
    return Image.fromarray((np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8))


def to_array(image: Image.Image) -> Array:
    """An 8-bit image as colours 0..1."""
    return np.asarray(image.convert("RGB"), dtype=np.float32) * np.float32(1 / 255)


def blurred(values: Array, radius: float) -> Array:
    """A field 0..1 blurred by so many pixels; wide blurs work on a smaller copy."""
    image = to_image(values)
    shrink = max(1, int(radius / 3))
    small = image.reduce(shrink) if shrink > 1 else image
    soft = small.filter(ImageFilter.GaussianBlur(radius / shrink)).resize(
        image.size, Image.Resampling.BILINEAR
    )
    return np.asarray(soft, dtype=np.float32) / 255


def smoothed(values: Array, radius: float) -> Array:
    """A field blurred without rounding it to 256 levels, for what will be lit as a relief."""
    half = max(1, int(radius))
    window = 2 * half + 1
    for axis in (0, 1, 0, 1):
        around = [(half + 1, half) if axis == each else (0, 0) for each in (0, 1)]
        sums = np.cumsum(np.pad(values, around, mode="edge"), axis=axis, dtype=np.float64)
        ends, starts = np.split(sums, [window], axis=axis)[1], np.split(sums, [-window], axis=axis)[0]
        values = ((ends - starts) / window).astype(np.float32)
    return values


def shifted(field: Array, by: int) -> Array:
    """A field moved down and right; its first rows and columns are repeated."""
    return np.pad(field, ((by, 0), (by, 0)), mode="edge")[: field.shape[0], : field.shape[1]]


def _bytes(paint: npt.ArrayLike) -> tuple[int, int, int]:
    red, green, blue = (int(part) for part in np.clip(np.asarray(paint) * 255, 0, 255))
    return red, green, blue
