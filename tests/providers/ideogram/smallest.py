"""The smallest request of each of Ideogram's models, independent of the declarations."""

from __future__ import annotations

from typing import Any

PROMPT: dict[str, Any] = {"prompt": "a harbour"}
IMAGE = {"image": (320, 256)}
V2 = (
    "ideogram-4-5",
    "ideogram-4-5-medium",
    "ideogram-4-5-low",
    "ideogram-4",
    "ideogram-4-quality",
    "ideogram-4-turbo",
)
V3 = ("ideogram-v3", "ideogram-v3-quality", "ideogram-v3-turbo", "ideogram-v3-flash")
CHARACTERS = ("ideogram-v3-character", "ideogram-v3-character-quality", "ideogram-v3-character-turbo")
LEGACY = {
    "ideogram-v2": "V_2",
    "ideogram-v2-turbo": "V_2_TURBO",
    "ideogram-v2a": "V_2A",
    "ideogram-v2a-turbo": "V_2A_TURBO",
    "ideogram-v1": "V_1",
    "ideogram-v1-turbo": "V_1_TURBO",
}
SMALLEST: dict[str, tuple[dict[str, Any], dict[str, tuple[int, int]]]] = {
    **{name: (PROMPT, {}) for name in (*V2, *V3, *LEGACY)},
    **{name: (PROMPT, {"character": (320, 256)}) for name in CHARACTERS},
    "ideogram-remove-background": ({}, IMAGE),
    "ideogram-v3-edit": (PROMPT, {"image": (320, 256), "mask": (320, 256)}),
    "ideogram-v3-reframe": ({}, IMAGE),
    "ideogram-v3-replace-background": (PROMPT, IMAGE),
    "ideogram-upscale": ({}, IMAGE),
    "ideogram-describe": ({}, IMAGE),
}
FROM_IMAGE = dict.fromkeys((*V3, *LEGACY), IMAGE)
BESIDE_IMAGE: dict[str, dict[str, Any]] = {}
