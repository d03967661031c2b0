"""Small images for services: what each needs to be called."""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageDraw

from tests.sandbox.conftest import encoded, picture

SIZE = (96, 64)
WALL, THING = (200, 215, 225), (160, 40, 40)
THING_BOX = (36, 20, 59, 43)  # both ends belong to it
PROMPT = {"prompt": "mountain forest"}


def scene() -> Image.Image:
    """Return a red square before a pale wall."""
    image = Image.new("RGB", SIZE, WALL)
    ImageDraw.Draw(image).rectangle(THING_BOX, fill=THING)
    return image


def noise(size: tuple[int, int] = SIZE) -> Image.Image:
    """Return an image of which no two parts are alike."""
    spread = Image.effect_noise(size, 60)
    return Image.merge("RGB", (spread, spread.transpose(Image.Transpose.FLIP_LEFT_RIGHT), spread))


def mask(box: tuple[int, int, int, int] = THING_BOX, size: tuple[int, int] = SIZE) -> bytes:
    """Return a black mask with a white box."""
    image = Image.new("L", size)
    ImageDraw.Draw(image).rectangle(box, fill=255)
    return encoded(image)


IMAGE = {"image": encoded(scene())}
# The least that each service takes: files, texts.
LEAST: dict[str, tuple[dict[str, bytes], dict[str, Any]]] = {
    "edit/erase": (IMAGE, {}),
    "edit/inpaint": (IMAGE, PROMPT),
    "edit/outpaint": (IMAGE, {"left": 8}),
    "edit/search-and-replace": (IMAGE, {**PROMPT, "search_prompt": "square"}),
    "edit/search-and-recolor": (IMAGE, {"prompt": "green", "select_prompt": "square"}),
    "edit/remove-background": (IMAGE, {}),
    "edit/replace-background-and-relight": (
        {"subject_image": IMAGE["image"]},
        {"background_prompt": "sea at dusk"},
    ),
    "upscale/fast": (IMAGE, {}),
    "upscale/conservative": (IMAGE, PROMPT),
    "upscale/creative": (IMAGE, PROMPT),
    "control/sketch": (IMAGE, PROMPT),
    "control/structure": (IMAGE, PROMPT),
    "control/style": (IMAGE, PROMPT),
    "control/style-transfer": ({"init_image": IMAGE["image"], "style_image": picture((80, 80))}, {}),
}
LATER = ("edit/replace-background-and-relight", "upscale/creative")
AT_ONCE = tuple(path for path in LEAST if path not in LATER)
