"""Images that a model takes: their roles, how many, and the limits of their size."""

from __future__ import annotations

import math
from dataclasses import dataclass

from generations.providers.catalogue.fields import InvalidValue
from generations.providers.i18n import gettext as _

# The roles that pages and programs know by name. A reference is an image that a result takes things from.
IMAGE, MASK, REFERENCE = "image", "mask", "reference"
MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp")
MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Input:
    """The images of one role.

    An image that is only too large is made smaller (`fit`); one that is too small or too long is refused
    (`check`). Where a model takes a few `sizes` only, an image is cropped and scaled to the one of the
    nearest ratio. A mask has the size of the image. With `keeps_alpha` transparency is sent; else it becomes
    white. A mask that `is_needed_unless_transparent` may be missing if the image has transparent parts, which
    are then what changes.
    """

    role: str
    title: str
    help: str = ""
    minimum: int = 0
    maximum: int = 1
    media_types: tuple[str, ...] = MEDIA_TYPES
    max_bytes: int = 9 * MIB
    min_side: int = 64
    max_side: int | None = None
    min_pixels: int = 1
    max_pixels: int | None = None
    max_ratio: float | None = None  # of the longer side to the shorter one
    sizes: tuple[tuple[int, int], ...] = ()
    keeps_alpha: bool = False
    is_needed_unless_transparent: bool = False

    @property
    def is_mask(self) -> bool:
        """Whether it says where to change the image, rather than being one."""
        return self.role == MASK

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """Return the largest size that the model takes, of the same ratio unless it takes a few sizes only.

        The same size if the model takes it.
        """
        if self.sizes:
            return min(self.sizes, key=lambda size: abs(math.log(size[0] * height / (size[1] * width))))
        scale = 1.0
        if self.max_side is not None:
            scale = min(scale, self.max_side / max(width, height))
        if self.max_pixels is not None:
            scale = min(scale, math.sqrt(self.max_pixels / (width * height)))
        if scale >= 1.0:
            return width, height
        return max(1, int(width * scale)), max(1, int(height * scale))

    def check(self, width: int, height: int) -> None:
        """Raise InvalidValue if an image of this size, which `fit` has returned, cannot be sent."""
        size = {"width": width, "height": height}
        if min(width, height) < self.min_side or width * height < self.min_pixels:
            side = max(self.min_side, math.isqrt(self.min_pixels - 1) + 1)
            text = _("This picture is too small (%(width)s x %(height)s): each side needs %(least)s.")
            raise InvalidValue(text % (size | {"least": side}))
        if self.max_ratio is not None and max(width, height) > self.max_ratio * min(width, height):
            text = _(
                "This picture is too long (%(width)s x %(height)s): at most %(most)s times as long as wide."
            )
            raise InvalidValue(text % (size | {"most": f"{self.max_ratio:g}"}))
