"""The table of Recraft's calls: their fields, images, prices and how they are drawn.

Source: docs/providers/recraft.md, "Addresses", "Fields", "Limits" and "Prices".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from generations.sandbox.drawings import edit, generate, upscale
from generations.sandbox.image_decoding import decode
from generations.sandbox.image_request import ImageRequest

V4_SIZES = frozenset(
    f"{size[0]}x{size[1]}"
    for across, down in ((1536, 768), (1344, 768), (1280, 832), (1216, 896), (1152, 896), (1024, 1024))
    for size in ((across, down), (down, across))
)
V4_PRO_SIZES = frozenset("x".join(str(2 * int(side)) for side in size.split("x")) for size in V4_SIZES)
OLD_SIZES = frozenset(
    size for side in (1024, 1280, 1365, 1536, 1820, 2048) for size in (f"{side}x1024", f"1024x{side}")
)
RASTER_STYLES = frozenset({"any", "realistic_image", "digital_illustration", "logo_raster"})
VECTOR_STYLE = "vector_illustration"


@dataclass(frozen=True)
class Draws:
    """A model: units for a raster picture and for a drawing (0: it has none), sizes, longest prompt."""

    raster: int
    vector: int
    sizes: frozenset[str]
    longest_prompt: int = 10_000
    has_styles: bool = False
    needs_style: bool = False  # one that was made for V4


OLD = Draws(40, 80, OLD_SIZES, 1_000, has_styles=True)
MODELS: Mapping[str, Draws] = {
    "recraftv4_1": Draws(35, 0, V4_SIZES),
    "recraftv4_1_pro": Draws(210, 0, V4_PRO_SIZES),
    "recraftv4_1_vector": Draws(0, 80, V4_SIZES),
    "recraftv4": Draws(40, 0, V4_SIZES),
    "recraftv4_pro": Draws(250, 0, V4_PRO_SIZES),
    "recraftv4_vector": Draws(0, 80, V4_SIZES),
    "recraftv4_pro_vector": Draws(0, 300, V4_PRO_SIZES),
    "recraftv4_styles": Draws(35, 0, V4_SIZES, needs_style=True),
    "recraftv4_styles_pro": Draws(100, 0, V4_PRO_SIZES, needs_style=True),
    "recraftv4_styles_vector": Draws(0, 50, V4_SIZES, needs_style=True),
    "recraftv4_styles_pro_vector": Draws(0, 120, V4_PRO_SIZES, needs_style=True),
    "recraftv3": OLD,
    "recraftv2": replace(OLD, raster=22, vector=44),
}


@dataclass(frozen=True)
class Call:
    """One call. `units` are its price, 0 where the model has one. `images` are the files that it needs.

    With `is_processing` it answers `image`, else a list `data`.
    """

    draw: Callable[[ImageRequest], Image.Image]
    fields: frozenset[str]
    images: tuple[str, ...] = ()
    units: int = 0
    is_processing: bool = False
    output_format: str = "webp"


def _replace_background(request: ImageRequest) -> Image.Image:
    values: dict[str, Any] = {
        "background_prompt": request.prompt,
        "keep_original_background": "false",
        "preserve_original_subject": 1,
        "original_background_depth": 0,
        "light_source_direction": "",
        "light_source_strength": None,
    }
    files = {"subject_image": request.files["image"]}
    return edit.replace_background(replace(request, values=values, files=files))


def _extended(request: ImageRequest) -> Image.Image:
    sides = {"left": "left", "right": "right", "top": "up", "bottom": "down"}
    values = {ours: request.values.get(f"expand_{theirs}", 0) for theirs, ours in sides.items()}
    return edit.outpaint(replace(request, values=values | {"prompt": request.prompt, "creativity": 0.5}))


def _as_it_is(request: ImageRequest) -> Image.Image:
    return decode(request.files["image"])


def _upscaled(request: ImageRequest) -> Image.Image:
    return upscale.conservative(replace(request, values={"creativity": 0.2}))


def _upscaled_with_details(request: ImageRequest) -> Image.Image:
    return upscale.creative(replace(request, values={"prompt": "", "creativity": 0.2}))


ANY = frozenset({"response_format", "image_format"})
DRAWN = ANY | {
    *("prompt", "model", "n", "style", "style_id", "style_match", "substyle"),
    *("negative_prompt", "random_seed", "controls"),
}
GENERATED = DRAWN | {"size"}
SIDES = frozenset({"expand_left", "expand_right", "expand_top", "expand_bottom"})
UPSCALE = Call(_upscaled, ANY, ("image",), 4, is_processing=True)
CREATIVE = Call(_upscaled_with_details, ANY, ("image",), 250, is_processing=True)
CALLS: Mapping[str, Call] = {
    "generations": Call(generate.picture, GENERATED),
    "generations/raster": Call(generate.picture, GENERATED),
    "generations/vector": Call(generate.picture, GENERATED),
    "imageToImage": Call(generate.picture, DRAWN | {"strength"}, ("image",)),
    "inpaint": Call(generate.masked, DRAWN, ("image", "mask")),
    "replaceBackground": Call(_replace_background, DRAWN, ("image",)),
    "generateBackground": Call(generate.masked, DRAWN, ("image", "mask")),
    "outpaint": Call(_extended, DRAWN | SIDES, ("image",)),
    "variateImage": Call(generate.picture, ANY | {"size", "random_seed", "n", "model"}, ("image",), 40),
    "eraseRegion": Call(edit.erase, ANY, ("image", "mask"), 2, is_processing=True),
    "removeBackground": Call(
        edit.remove_background, ANY, ("image",), 10, is_processing=True, output_format="png"
    ),
    "vectorize": Call(
        _as_it_is, frozenset({"response_format"}), ("image",), 10, is_processing=True, output_format="svg"
    ),
    "crispUpscale": UPSCALE,
    "clarityUpscale": UPSCALE,
    "creativeUpscale": CREATIVE,
    "generativeUpscale": CREATIVE,
}
