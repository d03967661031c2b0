"""Pictures for the portal's own pages, drawn by the sandbox.

python -m generations.sandbox.samples static/samples
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image

from generations.sandbox.art import Wish, draw
from generations.sandbox.requests import STYLES

STYLE_PROMPT, STYLE_SEED, STYLE_SIDE = "ridges at first light, one sun", 14, 132
PAGES = {  # name: prompt, seed, size, largest file in bytes
    "signin": ("First light over folded ridges, warm haze, a single sun", 2, (1840, 1800), 120_000),
    "example-paper": (
        *("Layered paper landscape, warm sunset, deep shadows between the sheets", 9),
        *((704, 512), 40_000),
    ),
    "example-leaves": ("Botanical plate of night leaves, gold berries, flat gouache", 11, (704, 512), 40_000),
    "example-aurora": (
        "Green aurora over a still lake, firs in silhouette, many stars",
        3,
        (704, 512),
        40_000,
    ),
}
LARGEST_STYLE = 5_000


def write_all(folder: Path) -> None:
    """Draw every sample picture into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for style in STYLES:
        image = draw(Wish(STYLE_PROMPT, STYLE_SEED, style, (STYLE_SIDE * 3, STYLE_SIDE * 3)))
        image = image.resize((STYLE_SIDE, STYLE_SIDE), Image.Resampling.LANCZOS)
        (folder / f"style-{style}.webp").write_bytes(within(image, LARGEST_STYLE))
    for name, (prompt, seed, size, largest) in PAGES.items():
        (folder / f"{name}.webp").write_bytes(within(draw(Wish(prompt, seed, "", size)), largest))


def within(image: Image.Image, largest: int) -> bytes:
    """The image as WebP in the best quality that keeps the file small enough."""
    for quality in range(90, 10, -5):
        target = io.BytesIO()
        image.save(target, "webp", quality=quality, method=6)
        if target.tell() <= largest:
            break
    return target.getvalue()


if __name__ == "__main__":
    write_all(Path(*sys.argv[1:2] or ["static/samples"]))
