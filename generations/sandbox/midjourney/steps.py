"""Next steps of a finished task: its buttons, and what each of them orders.

Source: docs/providers/midjourney.md, "Buttons".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from generations.sandbox.drawings import grid
from generations.sandbox.image_request import ImageRequest, pick_seed
from generations.sandbox.midjourney.requests import IMAGINE_COST, SMALL_COST
from generations.sandbox.responses import bad_request
from generations.sandbox.tasks import Task

GRIDS = frozenset({"IMAGINE", "VARIATION", "REROLL", "BLEND"})
SIMPLE = re.compile(r"(\S+) (U[1-4]|V[1-4]|R)", re.IGNORECASE)
PATTERN = re.compile(
    r"MJ::(?:JOB::)?(upsample|variation|reroll|low_variation|high_variation|pan_(?:left|right|up|down)"
    r"|upsample_v7_2x_(?:subtle|creative)|Outpaint|CustomZoom|Inpaint)::(\d+)?"
)
WINDOWS = ("CustomZoom", "Inpaint")
ARROWS = {"left": "⬅️", "right": "➡️", "up": "⬆️", "down": "⬇️"}


def buttons(task: Task) -> list[dict[str, Any]]:
    """Return the buttons of a finished task."""
    action, job = task.request.values["action"], hashlib.sha256(task.id.encode()).hexdigest()[:32]
    if action in GRIDS:
        return [
            *(_button(f"MJ::JOB::upsample::{index}::{job}", f"U{index}") for index in range(1, 5)),
            _button(f"MJ::JOB::reroll::0::{job}::SOLO", "", "🔄"),
            *(_button(f"MJ::JOB::variation::{index}::{job}", f"V{index}") for index in range(1, 5)),
        ]
    if action in ("DESCRIBE", "SHORTEN", "SWAP_FACE"):
        return []
    return [
        _button(f"MJ::JOB::upsample_v7_2x_subtle::1::{job}::SOLO", "Upscale (Subtle)"),
        _button(f"MJ::JOB::upsample_v7_2x_creative::1::{job}::SOLO", "Upscale (Creative)"),
        _button(f"MJ::JOB::low_variation::1::{job}::SOLO", "Vary (Subtle)"),
        _button(f"MJ::JOB::high_variation::1::{job}::SOLO", "Vary (Strong)"),
        _button(f"MJ::Inpaint::1::{job}::SOLO", "Vary (Region)"),
        _button(f"MJ::Outpaint::50::1::{job}::SOLO", "Zoom Out 2x"),
        _button(f"MJ::Outpaint::75::1::{job}::SOLO", "Zoom Out 1.5x"),
        _button(f"MJ::CustomZoom::{job}", "Custom Zoom"),
        *(_button(f"MJ::JOB::pan_{to}::1::{job}::SOLO", "", arrow) for to, arrow in ARROWS.items()),
        _button(f"MJ::BOOKMARK::{job}", "", "❤️"),
        {"customId": None, "emoji": "", "label": "Web", "type": 2, "style": 5},
    ]


def of_button(parent: Task, custom_id: str) -> ImageRequest:
    """Return what a button of the parent orders; ApiError if it has none such."""
    found = PATTERN.match(custom_id)
    if custom_id not in [button["customId"] for button in buttons(parent)] or not found:
        raise bad_request(f"unknown_action:{custom_id}")
    return of_step(parent, found[1], int(found[2] or 0))


def of_change(parent: Task, action: str, index: int) -> ImageRequest:
    """Return what a change of the parent orders, which must be a grid."""
    names = {"UPSCALE": "upsample", "VARIATION": "variation", "REROLL": "reroll"}
    if action not in names or (action != "REROLL" and index not in (1, 2, 3, 4)):
        raise bad_request("action: 格式错误")
    if parent.request.values["action"] not in GRIDS:
        raise bad_request("关联任务不允许执行变化")
    return of_step(parent, names[action], index)


def of_step(parent: Task, step: str, number: int) -> ImageRequest:
    """Return what one step makes of the parent's picture."""
    if step in ("upsample", "variation", "reroll"):
        return _of_grid(parent.request, step, number)
    values: dict[str, Any] = {"text": parent.request.values["text"]}
    edit = replace(
        parent.request,
        width=0,
        height=0,
        files={"image": parent.image or b""},
        cost=IMAGINE_COST,
        seed=pick_seed(),
    )
    if step in ("low_variation", "high_variation"):
        strength = 0.3 if step == "low_variation" else 0.7
        return _named(edit, "variation", grid.varied, values, strength=strength)
    if step.startswith("pan_"):
        return _named(edit, "pan", grid.panned, values | {"direction": step.removeprefix("pan_")})
    if step in ("Outpaint", "CustomZoom"):
        zoom = 100 / number if step == "Outpaint" else 2.0
        return _named(edit, "zoom", grid.zoomed, values | {"zoom": zoom})
    if step == "Inpaint":
        return _named(edit, "inpaint", grid.region, values)
    return replace(_named(edit, "action", grid.enlarged, values), cost=SMALL_COST)


def _of_grid(request: ImageRequest, step: str, number: int) -> ImageRequest:
    """One of the four at full size, or four others."""
    values = {"text": request.values["text"], "index": number}
    if step == "upsample":
        order = _named(request, "upscale", grid.quarter, values)
        return replace(order, files={}, cost=SMALL_COST)
    seed = request.seed + 1_000 * number if step == "variation" else pick_seed()
    return replace(_named(request, step, grid.grid, values), files={}, seed=seed)


def _named(
    request: ImageRequest, action: str, draw: Any, values: Mapping[str, Any], *, strength: float = 1.0
) -> ImageRequest:
    return replace(
        request,
        model=f"midjourney/{action}",
        draw=draw,
        strength=strength,
        values={**values, "action": action.upper()},
    )


def _button(custom_id: str, label: str, emoji: str = "") -> dict[str, Any]:
    return {"customId": custom_id, "emoji": emoji, "label": label, "type": 2, "style": 2}
