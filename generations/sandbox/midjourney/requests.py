"""What is ordered, read from the JSON of a call: ApiError for what the software would refuse.

Source: docs/providers/midjourney.md, "Addresses", "Parameters of a prompt", "Face swap" and "Prices".
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from generations.sandbox.drawings import grid
from generations.sandbox.image_decoding import decode, open_image
from generations.sandbox.image_request import ImageRequest, pick_seed
from generations.sandbox.responses import ApiError, bad_request
from generations.sandbox.sizes import size_with

IMAGINE_COST, SMALL_COST = 1_000, 500
GRID_PIXELS = 1_000_000  # less than the real ones, of 2048 x 2048
PARAMETER = re.compile(r"--([a-z]+)(?:\s+([^-\s][^\s]*))?")
RATIO = re.compile(r"[1-9]\d?:[1-9]\d?")
DATA_URL = re.compile(r"data:image/(?:png|jpeg|webp);base64,(.*)", re.DOTALL)
BANNED_WORD = re.compile(r"\bforbidden\b", re.IGNORECASE)
LONGEST_PROMPT = 6_000
DIMENSIONS = {"SQUARE": "1:1", "PORTRAIT": "2:3", "LANDSCAPE": "3:2"}
FIELDS = {
    "imagine": {"prompt", "base64Array", "botType", "state", "notifyHook", "accountFilter"},
    "blend": {"base64Array", "dimensions", "botType", "state", "notifyHook", "accountFilter"},
    "describe": {"base64", "link", "botType", "language", "state", "notifyHook", "accountFilter"},
    "shorten": {"prompt", "botType", "state", "notifyHook", "accountFilter"},
    "action": {"taskId", "customId", "state", "notifyHook", "accountFilter", "chooseSameChannel"},
    "change": {"taskId", "action", "index", "state", "notifyHook"},
    "simple-change": {"content", "state", "notifyHook"},
    "modal": {"taskId", "prompt", "maskBase64", "state", "notifyHook"},
    "swap": {
        "sourceBase64",
        "targetBase64",
        "sourceUrl",
        "targetUrl",
        "state",
        "notifyHook",
        "accountFilter",
    },
}

NOT_OF_ORIGINAL = {"botType", "accountFilter", "link", "language"}


def parse(call: str, body: bytes, *, strict: bool, original: bool = False) -> dict[str, Any]:
    """Return the JSON of a call; `strict` refuses fields that it, or the original, does not have."""
    try:
        values = json.loads(body)
    except ValueError as problem:
        raise bad_request("body is not valid JSON") from problem
    if not isinstance(values, dict):
        raise bad_request("body is no object")
    unknown = sorted(set(values) - (FIELDS[call] - NOT_OF_ORIGINAL if original else FIELDS[call]))
    if strict and unknown:
        raise bad_request(f"unknown fields: {', '.join(unknown)}")
    return values


def imagine(values: Mapping[str, Any]) -> ImageRequest:
    """Read an order for a grid of four."""
    text = _prompt(values)
    check_words(text)
    if values.get("botType", "MID_JOURNEY") not in ("MID_JOURNEY", "NIJI_JOURNEY"):
        raise bad_request("botType: no such bot")
    told = {name: value or "" for name, value in PARAMETER.findall(text)}
    ratio = told.get("ar") or "1:1"
    if not RATIO.fullmatch(ratio):
        raise bad_request("--ar: no ratio")
    seed = told.get("seed", "")
    width, height = size_with(GRID_PIXELS, ratio)
    return ImageRequest(
        model="midjourney/imagine",
        prompt=PARAMETER.split(text)[0].strip() or text,
        negative_prompt=told.get("no", ""),
        seed=int(seed) if seed.isdecimal() and len(seed) < 11 else pick_seed(),
        cost=IMAGINE_COST,
        draw=grid.grid,
        width=width,
        height=height,
        style="anime" if values.get("botType") == "NIJI_JOURNEY" else "",
        files={f"image{index}": data for index, data in enumerate(_images(values, 0))},
        values={"action": "IMAGINE", "text": text},
    )


def blend(values: Mapping[str, Any]) -> ImageRequest:
    """Read an order for a grid of two to five pictures."""
    images = _images(values, 2)
    if len(images) > 5:
        raise bad_request("base64Array: at most 5")
    dimensions = values.get("dimensions") or "SQUARE"
    if dimensions not in DIMENSIONS:
        raise bad_request("dimensions: no such dimensions")
    width, height = size_with(GRID_PIXELS, DIMENSIONS[dimensions])
    files = {f"image{index}": data for index, data in enumerate(images)}
    return replace(
        _without_prompt("midjourney/blend", grid.blend, "BLEND", files),
        width=width,
        height=height,
        cost=IMAGINE_COST,
    )


def describe(values: Mapping[str, Any]) -> ImageRequest:
    """Read an order for four prompts that fit a picture."""
    data = _image(values.get("base64"), "base64")
    image = open_image(data)
    tone = "warm" if _is_warm(data) else "cool"
    ratio = f"{image.width}:{image.height}"
    lines = [
        f"{number}\ufe0f\u20e3 {words}, in {tone} tones --ar {ratio}"
        for number, words in enumerate(SIGHTS, 1)
    ]
    order = _without_prompt("midjourney/describe", grid.nothing, "DESCRIBE", {"image": data})
    return replace(order, values={**order.values, "told": "\n\n".join(lines)})


def shorten(values: Mapping[str, Any]) -> ImageRequest:
    """Read an order for what counts in a prompt."""
    words = _prompt(values).split()
    shorter = [" ".join(words[: max(1, len(words) * share // 4)]) for share in (4, 3, 2, 1)]
    lines = [f"{number}\ufe0f\u20e3 {text}" for number, text in enumerate(shorter, 1)]
    told = "**Important tokens**\n" + " ".join(words) + "\n\n**Shortened prompts**\n" + "\n\n".join(lines)
    order = _without_prompt("midjourney/shorten", grid.nothing, "SHORTEN", {})
    return replace(order, prompt=" ".join(words), cost=IMAGINE_COST, values={**order.values, "told": told})


def swap(values: Mapping[str, Any]) -> ImageRequest:
    """Read an order for a face in another picture."""
    face, target = (values.get(name) for name in ("sourceBase64", "targetBase64"))
    if not face or not target:
        raise bad_request("sour_base64_and_target_base64_is_required")
    if face == target:
        raise bad_request("人脸图片和目标图片不能相同")
    files = {"face": _image(face, "sourceBase64"), "image": _image(target, "targetBase64")}
    return _without_prompt("midjourney/swap", grid.swapped, "SWAP_FACE", files)


def check_words(text: str) -> None:
    """Raise ApiError for a prompt with the banned word, which is named; other flagged words end the task."""
    if found := BANNED_WORD.search(text):
        raise ApiError(403, "content_moderation", "banned word", found[0])


def mask(values: Mapping[str, Any]) -> bytes | None:
    """Return the mask of a window's answer, None without one."""
    return _image(values["maskBase64"], "maskBase64") if values.get("maskBase64") else None


SIGHTS = (
    "a quiet harbour with two boats",
    "a wide landscape under a large sky",
    "a soft painting of light and shade",
    "a picture as in an old book",
)


def _prompt(values: Mapping[str, Any]) -> str:
    text = values.get("prompt")
    if not isinstance(text, str) or not text.strip():
        raise bad_request("prompt_is_required")
    if len(text) > LONGEST_PROMPT:
        raise bad_request("prompt is too long")
    return text.strip()


def _images(values: Mapping[str, Any], least: int) -> list[bytes]:
    listed = values.get("base64Array") or []
    if not isinstance(listed, list) or len(listed) < least:
        raise bad_request("base64Array: too few images")
    return [_image(text, "base64Array") for text in listed]


def _image(text: Any, name: str) -> bytes:
    found = DATA_URL.fullmatch(text) if isinstance(text, str) else None
    try:
        data = base64.b64decode(found[1], validate=True) if found else b""
        open_image(data)
    except (ValueError, binascii.Error) as problem:
        raise bad_request(f"{name}: 格式错误") from problem
    return data


def _without_prompt(model: str, draw: Any, action: str, files: Mapping[str, bytes]) -> ImageRequest:
    return ImageRequest(
        model=model,
        prompt="",
        seed=pick_seed(),
        cost=SMALL_COST,
        draw=draw,
        files=files,
        values={"action": action, "text": ""},
    )


def _is_warm(data: bytes) -> bool:
    red, _green, blue = decode(data).resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]  # an RGB image
    return bool(red >= blue)
