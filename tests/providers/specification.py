"""The API's specification, written independently: it shares no code with the client.

From docs/providers/stability.md, "Request headers", "Fields", "Models" and "v1 text to image".
"""

from __future__ import annotations

import io
import json
import re
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
GENERATE = "/v2beta/stable-image/generate/"
TAKEN = {
    "ultra": {
        "prompt",
        "negative_prompt",
        "aspect_ratio",
        "seed",
        "output_format",
        "style_preset",
        "image",
        "strength",
    },
    "core": {"prompt", "negative_prompt", "aspect_ratio", "seed", "output_format", "style_preset"},
    "sd3": {
        "prompt",
        "negative_prompt",
        "aspect_ratio",
        "seed",
        "output_format",
        "style_preset",
        "image",
        "strength",
        "mode",
        "model",
        "cfg_scale",
    },
}
SD3_MODELS = {"sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium", "sd3.5-flash"}


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


def check(request: Request) -> str:
    """The format that is asked for; Refusal for anything that the specification does not allow."""
    require(re.fullmatch(r"Bearer \S+", request.headers.get("authorization", "")), "authorization")
    require(request.headers.get("accept-encoding") == "identity", "packed answers were allowed")
    path = request.path.removeprefix("/sd")
    if path == "/v1/generation/stable-diffusion-xl-1024-v1-0/text-to-image":
        require(request.headers["content-type"] == "application/json", "content-type")
        require(request.headers["accept"] in ("application/json", "image/png"), "accept")
        check_v1(request.json)
        return "png"
    require(request.method == "POST" and path.startswith(GENERATE), f"no such path {request.path}")
    require(request.headers["accept"] in ("application/json", "image/*"), "accept")
    request.parts = read_multipart(request)
    return check_v2beta(path.removeprefix(GENERATE), request)


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
            r'form-data; name="(\w+)"(?:; filename="([^"]+)")?', lines["Content-Disposition"]
        )
        require(found and found[1] not in parts, "a part without name, or twice")
        require(body, f"{found[1]} is empty")
        parts[found[1]] = Part(body, found[2], lines.get("Content-Type"))
    return parts


def check_v2beta(endpoint: str, request: Request) -> str:
    require(endpoint in TAKEN, "endpoint")
    extra = request.parts.keys() - TAKEN[endpoint]
    require(not extra, f"not taken: {extra}")
    texts, image = request.texts, request.parts.get("image")
    require(1 <= len(texts.get("prompt", "")) <= 10_000, "prompt")
    require(len(texts.get("negative_prompt", "")) <= 10_000, "negative_prompt")
    require(texts.get("aspect_ratio", "1:1") in RATIOS, "aspect_ratio")
    require(texts.get("output_format", "png") in FORMATS, "output_format")
    require(texts.get("style_preset", "anime") in STYLES, "style_preset")
    require(1 <= number(texts.get("seed", "1"), r"\d+") <= 4_294_967_294, "seed")
    require(1 <= number(texts.get("cfg_scale", "4")) <= 10, "cfg_scale")
    require(0 <= number(texts.get("strength", "0")) <= 1, "strength")
    require(("strength" in texts) == (image is not None), "strength goes with image")
    if image:
        require(image.filename and image.media_type in ("image/png", "image/jpeg", "image/webp"), "image")
        Image.open(io.BytesIO(image.body)).load()
        require(Image.open(io.BytesIO(image.body)).get_format_mimetype() == image.media_type, "type of image")
    if endpoint == "sd3":
        require(texts.get("model") in SD3_MODELS, "model")
        require(texts.get("mode") == ("image-to-image" if image else "text-to-image"), "mode")
        require(not (image and "aspect_ratio" in texts), "aspect_ratio is for text-to-image only")
    return texts.get("output_format", "png")


def check_v1(data: dict) -> None:
    extra = data.keys() - {"text_prompts", "width", "height", "cfg_scale", "seed", "steps", "style_preset"}
    require(not extra, f"not taken: {extra}")
    prompts = data["text_prompts"]
    require(
        prompts and all(set(one) <= {"text", "weight"} and 1 <= len(one["text"]) <= 2000 for one in prompts),
        "texts",
    )
    require((data["width"], data["height"]) in PAIRS, "width and height")
    require(0 <= data.get("cfg_scale", 7) <= 35, "cfg_scale")
    require(type(data.get("seed", 1)) is int and 1 <= data.get("seed", 1) <= 4_294_967_295, "seed")
    require(type(data.get("steps", 30)) is int and 10 <= data.get("steps", 30) <= 50, "steps")
    require(data.get("style_preset", "anime") in STYLES, "style_preset")


def number(text: str, pattern: str = r"\d+(\.\d+)?") -> float:
    require(re.fullmatch(pattern, text), f"{text} is no number")
    return float(text)
