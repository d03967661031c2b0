"""Where each of Stability's models is called, and what its images are called there.

Sources: docs/providers/stability.md, "Addresses", "Edit, upscale and control" and "v1 image to image".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Endpoint:
    """An endpoint of v2beta: its path, and the names of the parts of images where they are not the role's.

    With `is_shared` several models have it: it takes the model's name and a mode.
    """

    path: str
    part_names: Mapping[str, str] = field(default_factory=dict)  # by role
    is_shared: bool = False


V2BETA: Mapping[str, Endpoint] = MappingProxyType(
    {
        "core": Endpoint("generate/core"),
        "ultra": Endpoint("generate/ultra"),
        "sd3.5-large": Endpoint("generate/sd3", is_shared=True),
        "sd3.5-flash": Endpoint("generate/sd3", is_shared=True),
        "sd3.5-large-turbo": Endpoint("generate/sd3", is_shared=True),
        "sd3.5-medium": Endpoint("generate/sd3", is_shared=True),
        "inpaint": Endpoint("edit/inpaint"),
        "outpaint": Endpoint("edit/outpaint"),
        "erase": Endpoint("edit/erase"),
        "remove-background": Endpoint("edit/remove-background"),
        "replace-background-and-relight": Endpoint(
            "edit/replace-background-and-relight", {"image": "subject_image"}
        ),
        "search-and-replace": Endpoint("edit/search-and-replace"),
        "search-and-recolor": Endpoint("edit/search-and-recolor"),
        "upscale-fast": Endpoint("upscale/fast"),
        "upscale-conservative": Endpoint("upscale/conservative"),
        "upscale-creative": Endpoint("upscale/creative"),
        "sketch": Endpoint("control/sketch"),
        "structure": Endpoint("control/structure"),
        "style": Endpoint("control/style"),
        "style-transfer": Endpoint("control/style-transfer", {"image": "init_image", "style": "style_image"}),
    }
)
V1_ENGINES: Mapping[str, str] = MappingProxyType(
    {"sdxl": "stable-diffusion-xl-1024-v1-0", "sd-1.6": "stable-diffusion-v1-6"}
)
V1_PART_NAMES: Mapping[str, str] = MappingProxyType({"image": "init_image", "mask": "mask_image"})


def part_name(model: str, role: str) -> str:
    """Return the name of the part that has the images of a role."""
    names = V1_PART_NAMES if model in V1_ENGINES else V2BETA[model].part_names
    return names.get(role, role)
