"""The table of Ideogram's calls: their fields, images, prices and how they are drawn.

Source: docs/providers/ideogram.md, "Legacy calls", "v3", "v2" and "Prices".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image, ImageOps

from generations.sandbox.drawings import edit, generate, upscale
from generations.sandbox.image_decoding import decode, open_image
from generations.sandbox.image_request import ImageRequest

SPEEDS = {"FLASH": 300, "TURBO": 300, "DEFAULT": 600, "BALANCED": 600, "QUALITY": 900}
CHARACTER_SPEEDS = {"FLASH": 1_000, "TURBO": 1_000, "DEFAULT": 1_500, "BALANCED": 1_500, "QUALITY": 2_000}
CUT_OUT_COST = 100
LEGACY_COSTS = {
    "V_1": 600,
    "V_1_TURBO": 200,
    "V_2": 800,
    "V_2_TURBO": 500,
    "V_2A": 400,
    "V_2A_TURBO": 250,
}
V2_COSTS = {
    "ideogram-4-5": {"low": 300, "medium": 600, "high": 1_000},
    "ideogram-4": {"turbo": 300, "default": 600, "quality": 1_000},
}
UPSCALE_COST, DESCRIBE_COST = 800, 100  # no prices were found
RATIOS = {
    "1x3": (512, 1536),
    "1x2": (704, 1408),
    "9x16": (736, 1312),
    "10x16": (800, 1280),
    "2x3": (832, 1248),
    "3x4": (864, 1152),
    "4x5": (896, 1120),
    "1x1": (1024, 1024),
    "5x4": (1120, 896),
    "4x3": (1152, 864),
    "3x2": (1248, 832),
    "16x10": (1280, 800),
    "16x9": (1312, 736),
    "2x1": (1408, 704),
    "3x1": (1536, 512),
}
LEGACY_RATIOS = {
    f"ASPECT_{ratio.replace('x', '_')}": size
    for ratio, size in RATIOS.items()
    if ratio not in ("1x2", "2x1", "4x5", "5x4")
}
V2_SIZES = {
    f"{width * times}x{height * times}"
    for across, down in ((1440, 720), (1280, 720), (1280, 800), (1248, 832), (1152, 864), (1120, 896))
    for width, height in ((across, down), (down, across), (1024, 1024))
    for times in (1, 2)
}


@dataclass(frozen=True)
class Call:
    """One call: its fields, those of its object if it has one, its files, and what must be there.

    Of `lists` there may be several parts of a name, at most so many.
    """

    draw: Callable[[ImageRequest], Image.Image]
    fields: frozenset[str]
    images: tuple[str, ...] = ()
    required: tuple[str, ...] = ("prompt",)
    lists: Mapping[str, int] = field(default_factory=dict)


def _masked(request: ImageRequest) -> Image.Image:
    """Draw the prompt where the mask is black."""
    return generate.masked(replace(request, values={"mask_source": "MASK_IMAGE_BLACK"}))


def _reframed(request: ImageRequest) -> Image.Image:
    """Put the image whole into the middle of the new shape, and draw what is around it."""
    image = decode(request.files["image"])
    inside = ImageOps.contain(image, (request.width, request.height))
    left, up = (request.width - inside.width) // 2, (request.height - inside.height) // 2
    canvas = generate.scene(request, "", (request.width, request.height))
    canvas.paste(inside, (left, up))
    return canvas


def _with_background(request: ImageRequest) -> Image.Image:
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


def _upscaled(request: ImageRequest) -> Image.Image:
    return upscale.conservative(replace(request, values={"creativity": 0.2}))


V3 = frozenset(
    {"prompt", "seed", "rendering_speed", "magic_prompt", "num_images", "style_type", "color_palette"}
)
GENERATED = V3 | {"resolution", "aspect_ratio", "negative_prompt", "style_preset"}
LEGACY = frozenset({"prompt", "model", "aspect_ratio", "resolution", "magic_prompt_option", "seed"}) | {
    "style_type",
    "negative_prompt",
    "num_images",
    "color_palette",
}
V2 = frozenset({"prompt", "seed", "magic_prompt", "num_images", "async", "webhook_url"})
REFERENCES = {"style_codes": 3, "style_reference_images": 3, "character_reference_images": 1}
MASKED = Call(_masked, V3, ("image", "mask"), ("prompt", "image", "mask"))
CUT_OUT = Call(edit.remove_background, frozenset(), ("image",), ("image",))
CALLS: Mapping[str, Call] = {
    "/generate": Call(generate.picture, LEGACY),
    "/remix": Call(generate.picture, LEGACY | {"image_weight"}, ("image_file",), ("prompt", "image_file")),
    "/upscale": Call(
        _upscaled,
        frozenset({"resemblance", "detail", "prompt", "magic_prompt_option", "num_images", "seed"}),
        ("image_file",),
        ("image_file",),
    ),
    "/describe": Call(
        generate.picture, frozenset({"describe_model_version"}), ("image_file",), ("image_file",)
    ),
    "/v1/ideogram-v3/generate": Call(generate.picture, GENERATED, lists=REFERENCES),
    "/v1/ideogram-v3/remix": Call(
        generate.picture, GENERATED | {"image_weight"}, ("image",), ("prompt", "image"), REFERENCES
    ),
    "/v1/remove-background": CUT_OUT,
    "/v2/image/remove-background/ideogram-1": CUT_OUT,
    "/v1/ideogram-v3/edit": MASKED,
    "/v1/ideogram-v3/inpaint": MASKED,
    "/v1/ideogram-v3/reframe": Call(
        _reframed, V3 - {"prompt"} | {"resolution"}, ("image",), ("image", "resolution")
    ),
    "/v1/ideogram-v3/replace-background": Call(_with_background, V3, ("image",), ("prompt", "image")),
    "/v2/image/generate/ideogram-4-5": Call(generate.picture, V2 | {"size", "quality"}),
    "/v2/image/generate/ideogram-4": Call(generate.picture, V2 | {"resolution", "rendering_speed"}),
}


def size_of(path: str, values: Mapping[str, Any], image: bytes | None) -> tuple[int, int]:
    """The size of the result: exact, by its ratio, or that of an image; 0 if the drawing decides it."""
    if CALLS[path].draw in (_with_background, _upscaled, edit.remove_background):
        return 0, 0
    exact = values.get("size") or values.get("resolution")
    if isinstance(exact, str) and exact != "auto":
        width, _, height = exact.removeprefix("RESOLUTION_").replace("_", "x").partition("x")
        return int(width), int(height)
    ratio = values.get("aspect_ratio")
    if ratio:
        return (RATIOS | LEGACY_RATIOS)[ratio]
    return open_image(image).size if image else (1024, 1024)


def cost_of(path: str, values: Mapping[str, Any], *, has_character: bool = False) -> int:
    """What a call costs, in hundredths of a credit of the sandbox."""
    if CALLS[path] is CUT_OUT:
        return CUT_OUT_COST
    if path in ("/generate", "/remix"):
        return LEGACY_COSTS.get(str(values.get("model", "V_2")), 800)
    if path.startswith("/v2/"):
        levels = V2_COSTS[path.rpartition("/")[2]]
        return levels[values.get("quality") or values.get("rendering_speed") or list(levels)[-1]]
    if path in ("/upscale", "/describe"):
        return UPSCALE_COST if path == "/upscale" else DESCRIBE_COST
    return (CHARACTER_SPEEDS if has_character else SPEEDS)[str(values.get("rendering_speed", "DEFAULT"))]
