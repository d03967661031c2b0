"""The small pictures of the styles on Create can be told apart at the size at which they are shown."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from PIL import Image

from generations.providers.stability.fields import STYLES
from tests.sandbox.style_samples import SAMPLE_PAINTERS, SAMPLES, SIDE

SHOWN = (68, 68)  # pixels on the page
LEAST = 20  # of 255, the mean difference of two samples; the two most alike once had 8


def shown(style: str) -> np.ndarray:
    with Image.open(SAMPLES / f"style-{style}.webp") as sample:
        assert sample.size == (SIDE, SIDE)
        return np.asarray(sample.convert("RGB").resize(SHOWN, Image.Resampling.LANCZOS), dtype=float)


def test_every_style_has_a_sample_that_our_painter_drew():
    assert SAMPLE_PAINTERS.keys() == STYLES.keys()
    assert {path.stem for path in SAMPLES.glob("style-*.webp")} == {f"style-{name}" for name in STYLES}


def test_any_two_samples_differ_where_they_are_small():
    samples = {style: shown(style) for style in STYLES}
    differences = {
        (one, other): float(np.abs(samples[one] - samples[other]).mean())
        for one, other in combinations(samples, 2)
    }
    alike = min(differences, key=lambda pair: differences[pair])
    assert differences[alike] > LEAST, f"{alike}: {differences[alike]:.1f}"
