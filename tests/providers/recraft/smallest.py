"""The smallest request of each of Recraft's models, independent of the declarations."""

from __future__ import annotations

from typing import Any

PROMPT: dict[str, Any] = {"prompt": "a harbour"}
IMAGE = {"image": (320, 256)}
MASKED = {"image": (320, 256), "mask": (320, 256)}
STYLE = "229b2a75-05e4-4580-85f9-b47ee521a00d"
STYLED = (
    "recraftv4_styles",
    "recraftv4_styles_pro",
    "recraftv4_styles_vector",
    "recraftv4_styles_pro_vector",
)
RASTER = ("recraftv4_1", "recraftv4_1_pro", "recraftv4", "recraftv4_pro", "recraftv3", "recraftv2")
VECTOR = (
    "recraftv4_1_vector",
    "recraftv4_vector",
    "recraftv4_pro_vector",
    "recraftv3_vector",
    "recraftv2_vector",
)
SMALLEST: dict[str, tuple[dict[str, Any], dict[str, tuple[int, int]]]] = {
    **{name: (PROMPT, {}) for name in (*RASTER, *VECTOR)},
    "recraft-inpaint": (PROMPT, MASKED),
    "recraft-erase-region": ({}, MASKED),
    "recraft-replace-background": (PROMPT, IMAGE),
    "recraft-remove-background": ({}, IMAGE),
    "recraft-vectorize": ({}, IMAGE),
    "recraft-crisp-upscale": ({}, IMAGE),
    "recraft-creative-upscale": ({}, IMAGE),
    "recraft-style": ({"style_name": "House", "style": "digital_illustration"}, {"reference": (320, 256)}),
    "recraft-vector-style": ({"style_name": "House"}, {"reference": (320, 256)}),
    "recraft-v4-style": ({"style_name": "House"}, {"reference": (320, 256)}),
    "recraft-v4-vector-style": ({"style_name": "House"}, {"reference": (320, 256)}),
    "recraft-generate-background": (PROMPT, MASKED),
    "recraft-outpaint": (PROMPT | {"left": 64}, IMAGE),
    "recraft-variate": ({}, IMAGE),
    **{name: (PROMPT | {"style": STYLE}, {}) for name in STYLED},
}
FROM_IMAGE = dict.fromkeys(("recraftv3", "recraftv3_vector"), IMAGE)
BESIDE_IMAGE: dict[str, dict[str, Any]] = {name: {"strength": 0.5} for name in FROM_IMAGE}
