"""The API's specification, written independently: it shares no code with the client.

From docs/providers/stability.md, "Request headers", "Fields", "Models", "Edit, upscale and control", "Results
that come later", "v1 text to image" and "v1 image to image".
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from PIL import Image

RATIOS = {"21:9", "16:9", "3:2", "5:4", "1:1", "4:5", "2:3", "9:16", "9:21"}
FORMATS = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}
STYLES = {
    "enhance",
    "anime",
    "photographic",
    "digital-art",
    "comic-book",
    "fantasy-art",
    "line-art",
    "analog-film",
    "neon-punk",
    "isometric",
    "low-poly",
    "origami",
    "modeling-compound",
    "cinematic",
    "3d-model",
    "pixel-art",
    "tile-texture",
}
PAIRS = {
    (1024, 1024),
    (1152, 896),
    (896, 1152),
    (1216, 832),
    (832, 1216),
    (1344, 768),
    (768, 1344),
    (1536, 640),
    (640, 1536),
}
SDXL, SD16 = "stable-diffusion-xl-1024-v1-0", "stable-diffusion-v1-6"
V2BETA, RESULTS = "/v2beta/stable-image/", "/v2beta/results/"
SD3_MODELS = {"sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium", "sd3.5-flash"}
MAX_REQUEST = 10 * 1024 * 1024


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    parts: dict[str, Part] = field(default_factory=dict)

    @property
    def texts(self) -> dict[str, str]:
        return {name: part.body.decode() for name, part in self.parts.items() if part.filename is None}

    @property
    def json(self) -> dict:
        return json.loads(self.body)


@dataclass
class Part:
    body: bytes
    filename: str | None
    media_type: str | None


class Refusal(Exception):
    """Something that the specification does not allow."""


def require(condition: object, sentence: str) -> None:
    if not condition:
        raise Refusal(sentence)


@dataclass(frozen=True)
class Words:
    """A text of `least` to `most` characters."""

    least: int = 0
    most: int = 10_000

    def check(self, name: str, text: str) -> None:
        require(self.least <= len(text) <= self.most, name)


@dataclass(frozen=True)
class Amount:
    """A number; `default` is what counts if it is not sent."""

    least: float
    most: float
    default: float | None = None
    whole: bool = False

    def check(self, name: str, text: str) -> None:
        value = number(text, r"\d+" if self.whole else r"\d+(\.\d+)?")
        require(self.least <= value <= self.most, f"{name}: must be from {self.least} to {self.most}")


@dataclass(frozen=True)
class OneOf:
    values: frozenset[str]

    def check(self, name: str, text: str) -> None:
        require(text in self.values, f"{name}: must be one of {sorted(self.values)}")


@dataclass(frozen=True)
class Picture:
    """A file: JPEG, PNG or WebP within these limits."""

    least_side: int = 64
    most_side: int | None = None
    least_pixels: int = 4_096
    most_pixels: int | None = 9_437_184
    ratio: float | None = None

    def check(self, name: str, part: Part) -> Image.Image:
        types = ("image/png", "image/jpeg", "image/webp")
        require(part.filename and part.media_type in types, f"{name}: is no file of an image")
        picture = Image.open(io.BytesIO(part.body))
        require(picture.get_format_mimetype() == part.media_type, f"{name}: has another type")
        picture.load()
        width, height = picture.size
        require(min(width, height) >= self.least_side, f"{name}: is too narrow")
        require(self.most_side is None or max(width, height) <= self.most_side, f"{name}: is too wide")
        require(width * height >= self.least_pixels, f"{name}: has too few pixels")
        require(
            self.most_pixels is None or width * height <= self.most_pixels, f"{name}: has too many pixels"
        )
        ratio = max(width, height) / min(width, height)
        require(self.ratio is None or ratio <= self.ratio, f"{name}: is too long")
        return picture


@dataclass(frozen=True)
class Endpoint:
    """What an endpoint takes; `rule` checks what goes together."""

    required: frozenset[str]
    fields: dict[str, Words | Amount | OneOf]
    files: dict[str, Picture] = field(default_factory=dict)
    rule: Callable[[dict[str, str], dict[str, Image.Image]], None] = lambda texts, files: None
    is_task: bool = False


PROMPT, WORDS = Words(1), Words()
STYLE, SHAPE, FORMAT = OneOf(frozenset(STYLES)), OneOf(frozenset(RATIOS)), OneOf(frozenset(FORMATS))
ANY, BOUND, MASK = Picture(), Picture(ratio=2.5), Picture(least_pixels=1, most_pixels=None)
COMMON = {"seed": Amount(1, 4_294_967_294, 0, whole=True), "output_format": FORMAT}
GENERATED = COMMON | {
    "prompt": PROMPT,
    "negative_prompt": WORDS,
    "aspect_ratio": SHAPE,
    "style_preset": STYLE,
}
CONTROLLED = COMMON | {
    "prompt": PROMPT,
    "negative_prompt": WORDS,
    "style_preset": STYLE,
    "control_strength": Amount(0, 1, 0.7),
}
SIDES = ("left", "right", "up", "down")


def strength_goes_with_image(texts: dict[str, str], files: dict[str, Image.Image]) -> None:
    require(("strength" in texts) == ("image" in files), "strength: goes with image")


def mode_and_shape(texts: dict[str, str], files: dict[str, Image.Image]) -> None:
    strength_goes_with_image(texts, files)
    require(texts.get("mode") == ("image-to-image" if files else "text-to-image"), "mode")
    require(not (files and "aspect_ratio" in texts), "aspect_ratio: is for text-to-image only")


def mask_or_alpha(texts: dict[str, str], files: dict[str, Image.Image]) -> None:
    require("mask" in files or files["image"].mode in ("RGBA", "LA"), "mask: is required")


def some_side(texts: dict[str, str], files: dict[str, Image.Image]) -> None:
    require(any(int(texts.get(side, "0")) for side in SIDES), "left: one side must be above 0")


def background_and_light(texts: dict[str, str], files: dict[str, Image.Image]) -> None:
    require("background_prompt" in texts or "background_reference" in files, "background_prompt: is required")
    has_light = "light_source_direction" in texts or "light_reference" in files
    require(has_light or "light_source_strength" not in texts, "light_source_strength: needs a light")


ENDPOINTS = {
    "generate/core": Endpoint(frozenset({"prompt"}), GENERATED),
    "generate/ultra": Endpoint(
        frozenset({"prompt"}),
        GENERATED | {"strength": Amount(0, 1)},
        {"image": Picture(most_side=16_384, most_pixels=None)},
        strength_goes_with_image,
    ),
    "generate/sd3": Endpoint(
        frozenset({"prompt", "model", "mode"}),
        GENERATED
        | {
            "strength": Amount(0, 1),
            "cfg_scale": Amount(1, 10),
            "mode": OneOf(frozenset({"text-to-image", "image-to-image"})),
            "model": OneOf(frozenset(SD3_MODELS)),
        },
        {"image": Picture(least_pixels=1, most_pixels=None)},
        mode_and_shape,
    ),
    "edit/erase": Endpoint(
        frozenset({"image"}),
        COMMON | {"grow_mask": Amount(0, 20, 5, whole=True)},
        {"image": ANY, "mask": MASK},
        mask_or_alpha,
    ),
    "edit/inpaint": Endpoint(
        frozenset({"image", "prompt"}),
        COMMON
        | {
            "prompt": PROMPT,
            "negative_prompt": WORDS,
            "style_preset": STYLE,
            "grow_mask": Amount(0, 100, 5, whole=True),
        },
        {"image": ANY, "mask": MASK},
        mask_or_alpha,
    ),
    "edit/outpaint": Endpoint(
        frozenset({"image"}),
        COMMON
        | {side: Amount(0, 2_000, 0, whole=True) for side in SIDES}
        | {"prompt": WORDS, "creativity": Amount(0, 1, 0.5), "style_preset": STYLE},
        {"image": BOUND},
        some_side,
    ),
    "edit/search-and-replace": Endpoint(
        frozenset({"image", "prompt", "search_prompt"}),
        COMMON
        | {
            "prompt": PROMPT,
            "search_prompt": PROMPT,
            "negative_prompt": WORDS,
            "style_preset": STYLE,
            "grow_mask": Amount(0, 20, 3, whole=True),
        },
        {"image": BOUND},
    ),
    "edit/search-and-recolor": Endpoint(
        frozenset({"image", "prompt", "select_prompt"}),
        COMMON
        | {
            "prompt": PROMPT,
            "select_prompt": PROMPT,
            "negative_prompt": WORDS,
            "style_preset": STYLE,
            "grow_mask": Amount(0, 20, 3, whole=True),
        },
        {"image": BOUND},
    ),
    "edit/remove-background": Endpoint(
        frozenset({"image"}),
        {"output_format": OneOf(frozenset({"png", "webp"}))},
        {"image": Picture(most_pixels=4_194_304)},
    ),
    "edit/replace-background-and-relight": Endpoint(
        frozenset({"subject_image"}),
        COMMON
        | {
            "background_prompt": WORDS,
            "foreground_prompt": WORDS,
            "negative_prompt": WORDS,
            "preserve_original_subject": Amount(0, 1, 0.6),
            "original_background_depth": Amount(0, 1, 0.5),
            "keep_original_background": OneOf(frozenset({"true", "false"})),
            "light_source_direction": OneOf(frozenset({"left", "right", "above", "below"})),
            "light_source_strength": Amount(0, 1, 0.3),
        },
        {"subject_image": BOUND, "background_reference": ANY, "light_reference": ANY},
        background_and_light,
        is_task=True,
    ),
    "upscale/fast": Endpoint(
        frozenset({"image"}),
        {"output_format": FORMAT},
        {"image": Picture(least_side=32, most_side=1_536, least_pixels=1_024, most_pixels=1_048_576)},
    ),
    "upscale/conservative": Endpoint(
        frozenset({"image", "prompt"}),
        COMMON | {"prompt": PROMPT, "negative_prompt": WORDS, "creativity": Amount(0.2, 0.5, 0.35)},
        {"image": BOUND},
    ),
    "upscale/creative": Endpoint(
        frozenset({"image", "prompt"}),
        COMMON
        | {
            "prompt": PROMPT,
            "negative_prompt": WORDS,
            "creativity": Amount(0.1, 0.5, 0.3),
            "style_preset": STYLE,
        },
        {"image": Picture(most_pixels=1_048_576)},
        is_task=True,
    ),
    "control/sketch": Endpoint(frozenset({"image", "prompt"}), CONTROLLED, {"image": BOUND}),
    "control/structure": Endpoint(frozenset({"image", "prompt"}), CONTROLLED, {"image": BOUND}),
    "control/style": Endpoint(
        frozenset({"image", "prompt"}),
        GENERATED | {"fidelity": Amount(0, 1, 0.5)},
        {"image": BOUND},
    ),
    "control/style-transfer": Endpoint(
        frozenset({"init_image", "style_image"}),
        COMMON
        | {
            "prompt": WORDS,
            "negative_prompt": WORDS,
            "style_strength": Amount(0, 1, 1),
            "composition_fidelity": Amount(0, 1, 0.9),
            "change_strength": Amount(0.1, 1, 0.9),
        },
        {"init_image": BOUND, "style_image": ANY},
    ),
}


def check(request: Request) -> str:
    """The format that is asked for, `task` for a call that is answered later, `result` for asking after it.

    Refusal for anything that the specification does not allow.
    """
    require(re.fullmatch(r"Bearer \S+", request.headers.get("authorization", "")), "authorization")
    require(request.headers.get("accept-encoding") == "identity", "packed answers were allowed")
    require(len(request.body) <= MAX_REQUEST, "body: payloads cannot be larger than 10MiB in size")
    path = request.path.removeprefix("/sd")
    if found := re.fullmatch(f"/v1/generation/({SDXL}|{SD16})/([a-z/-]+)", path):
        return check_v1(request, engine=found[1], call=found[2])
    require(request.headers["accept"] in ("application/json", "image/*"), "accept")
    if path.startswith(RESULTS):
        require(request.method == "GET" and not request.body, "method")
        require(re.fullmatch("[0-9a-f]{64}", path.removeprefix(RESULTS)), "id")
        return "result"
    require(request.method == "POST" and path.startswith(V2BETA), f"no such path {request.path}")
    request.parts = read_multipart(request)
    return check_v2beta(path.removeprefix(V2BETA), request)


def read_multipart(request: Request) -> dict[str, Part]:
    match = re.fullmatch(r"multipart/form-data; boundary=([\w-]{1,70})", request.headers["content-type"])
    require(match, "content-type: must be multipart/form-data")
    boundary = b"--" + match[1].encode()
    first, *sections, last = request.body.split(boundary)
    require(first == b"" and last == b"--\r\n", "multipart framing")
    parts: dict[str, Part] = {}
    for section in sections:
        require(section.startswith(b"\r\n") and section.endswith(b"\r\n"), "multipart line ends")
        head, body = section[2:-2].split(b"\r\n\r\n", 1)
        lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        found = re.fullmatch(
            r'form-data; name="([\w\[\]]+)"(?:; filename="([^"]+)")?', lines["Content-Disposition"]
        )
        require(found and found[1] not in parts, "a part without name, or twice")
        require(body, f"{found[1]} is empty")
        parts[found[1]] = Part(body, found[2], lines.get("Content-Type"))
    return parts


def check_v2beta(path: str, request: Request) -> str:
    require(path in ENDPOINTS, f"no such path {request.path}")
    endpoint, texts = ENDPOINTS[path], request.texts
    sent_files = {name: part for name, part in request.parts.items() if part.filename is not None}
    extra = texts.keys() - endpoint.fields.keys() | sent_files.keys() - endpoint.files.keys()
    require(not extra, f"not taken: {extra}")
    missing = endpoint.required - request.parts.keys()
    require(not missing, f"{', '.join(missing)}: is required")
    for name, text in texts.items():
        endpoint.fields[name].check(name, text)
    pictures = {name: endpoint.files[name].check(name, part) for name, part in sent_files.items()}
    endpoint.rule(texts, pictures)
    return "task" if endpoint.is_task else texts.get("output_format", "png")


def check_v1(request: Request, *, engine: str, call: str) -> str:
    require(request.method == "POST", "method")
    require(request.headers["accept"] in ("application/json", "image/png"), "accept")
    if call == "text-to-image":
        require(request.headers["content-type"] == "application/json", "content-type")
        data = request.json
        check_v1_size(engine, (data.pop("width"), data.pop("height")))
        require(all(type(data.get(name, 1)) is int for name in ("seed", "steps")), "whole numbers")
        prompts = data.pop("text_prompts")
    else:
        require(call in ("image-to-image", "image-to-image/masking"), f"no such path {request.path}")
        request.parts = read_multipart(request)
        data = dict(request.texts)
        prompts = v1_prompts(data)
        check_v1_images(engine, call, request.parts, data)
    require(
        prompts and all(set(one) <= {"text", "weight"} and 1 <= len(one["text"]) <= 2000 for one in prompts),
        "texts",
    )
    extra = data.keys() - {"cfg_scale", "seed", "steps", "style_preset"}
    require(not extra, f"not taken: {extra}")
    require(0 <= float(data.get("cfg_scale", 7)) <= 35, "cfg_scale")
    require(1 <= int(data.get("seed", 1)) <= 4_294_967_295, "seed")
    require(10 <= int(data.get("steps", 30)) <= 50, "steps")
    require(data.get("style_preset", "anime") in STYLES, "style_preset")
    return "png"


def v1_prompts(data: dict[str, str]) -> list[dict[str, object]]:
    """Take the prompts out of a form: text_prompts[0][text], text_prompts[0][weight], text_prompts[1]…"""
    prompts: list[dict[str, object]] = []
    while (text := data.pop(f"text_prompts[{len(prompts)}][text]", None)) is not None:
        weight = data.pop(f"text_prompts[{len(prompts)}][weight]", "1")
        prompts.append({"text": text, "weight": number(weight, r"-?\d+(\.\d+)?")})
    return prompts


def check_v1_size(engine: str, size: tuple[int, int]) -> None:
    if engine == SDXL:
        require(size in PAIRS, "width and height")
    require(all(320 <= side <= 1536 and side % 64 == 0 for side in size), "width and height")


def check_v1_images(engine: str, call: str, parts: dict[str, Part], data: dict[str, str]) -> None:
    free = Picture(least_pixels=1, most_pixels=None)
    check_v1_size(engine, free.check("init_image", parts["init_image"]).size)
    files = {"init_image"}
    if call.endswith("masking"):
        files |= {"mask_image"}
        require(data.pop("mask_source") in ("MASK_IMAGE_WHITE", "MASK_IMAGE_BLACK"), "mask_source")
        mask = free.check("mask_image", parts["mask_image"])
        require(mask.size == Image.open(io.BytesIO(parts["init_image"].body)).size, "size of mask_image")
    elif data.pop("init_image_mode", "IMAGE_STRENGTH") == "IMAGE_STRENGTH":
        require(0 <= number(data.pop("image_strength", "0.35")) <= 1, "image_strength")
    else:
        raise Refusal("init_image_mode")
    require({name for name, part in parts.items() if part.filename} == files, "files")


def number(text: str, pattern: str = r"\d+(\.\d+)?") -> float:
    require(re.fullmatch(pattern, text), f"{text} is no number")
    return float(text)
