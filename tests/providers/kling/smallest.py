"""The smallest request of each of Kling's models, independent of the declarations."""

from __future__ import annotations

from typing import Any

PROMPT: dict[str, Any] = {"prompt": "a harbour"}
GENERATIONS = ("kling-v3", "kling-v2-1", "kling-v2", "kling-v1-5", "kling-v1")
OMNI = ("kling-v3-omni", "kling-image-o1")
SMALLEST: dict[str, tuple[dict[str, Any], dict[str, tuple[int, int]]]] = {
    **{name: (PROMPT, {}) for name in (*GENERATIONS, *OMNI)},
    "kling-v3-omni-series": (PROMPT | {"series_amount": "4"}, {}),
    "kling-expand": ({"left": 64}, {"image": (400, 320)}),
}
IMAGE = {"image": (400, 320)}
FROM_IMAGE = dict.fromkeys(("kling-v3", "kling-v1-5", "kling-v1"), IMAGE)
BESIDE_IMAGE: dict[str, dict[str, Any]] = {"kling-v1-5": {"image_reference": "subject"}}
