"""Noise with a 1/f^beta spectrum: one Fourier transform each, kept, and cut up anew per picture."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

from generations.sandbox.art.palette import Array

SIDE = 512
VARIANTS = 5


@lru_cache(maxsize=48)
def tile(beta: float, variant: int) -> Array:
    """A square of noise that tiles, of mean 0 and deviation 1; the larger beta the smoother."""
    random = np.random.default_rng([variant, int(beta * 100)])
    spectrum = np.fft.rfft2(random.standard_normal((SIDE, SIDE)))
    down, across = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None, :]
    frequency = np.hypot(down, across)
    frequency[0, 0] = 1
    spectrum *= frequency ** (-beta / 2)
    spectrum[0, 0] = 0
    field = np.fft.irfft2(spectrum, s=(SIDE, SIDE))
    result: Array = (field / field.std()).astype(np.float32)
    return result


def pick(random: np.random.Generator, beta: float) -> Array:
    """One of the kept squares, shifted and turned by chance."""
    field = tile(beta, int(random.integers(VARIANTS)))
    field = np.roll(field, random.integers(SIDE, size=2), axis=(0, 1))
    return field[:: random.choice([-1, 1]), :: random.choice([-1, 1])]


def cloud(
    random: np.random.Generator, size: tuple[int, int], beta: float, across: float = 1.0, down: float = 1.0
) -> Array:
    """Noise of (width, height); `across` and `down` are the shares of a square that are shown,
    so that a small `across` beside a large `down` stretches it sideways."""
    field = pick(random, beta)
    shown = (max(4, int(SIDE * min(1, across))), max(4, int(SIDE * min(1, down))))
    return resized(field[: shown[1], : shown[0]], size)


def resized(field: Array, size: tuple[int, int]) -> Array:
    """A field brought smoothly to (width, height)."""
    image = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32))
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC), dtype=np.float32)


def profile(random: np.random.Generator, length: int, beta: float, first: float = 1.0) -> Array:
    """A line of noise 0..1, `length` long; frequencies below `first` waves are left out."""
    count = 2048
    spectrum = np.fft.rfft(random.standard_normal(count))
    frequency = np.arange(len(spectrum), dtype=np.float64)
    spectrum[0] = 0
    spectrum[1:] *= frequency[1:] ** (-beta / 2) * (frequency[1:] >= first)
    line = np.fft.irfft(spectrum, count)[: count // 2]
    line = (line - line.min()) / (np.ptp(line) or 1)
    places = np.linspace(0, len(line) - 1, length)
    result: Array = np.interp(places, np.arange(len(line)), line).astype(np.float32)
    return result


def shaped(field: Array, sharpness: float = 1.0) -> Array:
    """Noise of deviation 1 bent into 0..1 without hard ends."""
    result: Array = 0.5 + 0.5 * np.tanh(field * sharpness)
    return result


def shaded_cloud(random: np.random.Generator, size: tuple[int, int]) -> Array:
    """Soft clouds 0..1."""
    return shaped(cloud(random, size, 3.0, 0.9, 0.7), 0.8)
