"""The images that Stability's models take.

Sources: docs/providers/stability.md, "Image input" and "Edit, upscale and control".
"""

from __future__ import annotations

from dataclasses import replace

from generations.providers.catalogue.inputs import IMAGE, MASK, MIB, Input
from generations.providers.i18n import gettext_noop

MAX_RATIO = 2.5
START_IMAGE = Input(
    role=IMAGE,
    title=gettext_noop("Start image"),
    help=gettext_noop("The result begins with it; “Strength” says how far it may go from it."),
    max_side=4096,
)
EDITED = Input(
    role=IMAGE,
    title=gettext_noop("Image"),
    minimum=1,
    min_pixels=4_096,
    max_pixels=9_437_184,
)
BOUND = replace(EDITED, max_ratio=MAX_RATIO)  # not longer than 2.5 times its width, nor the other way
# The whole request has at most 10 MiB, so images that go together have less each.
MASKED = replace(EDITED, max_bytes=7 * MIB, keeps_alpha=True)
PAINTED = Input(
    role=MASK,
    title=gettext_noop("Mask"),
    help=gettext_noop("White is changed, black is kept. Without a mask what is transparent is changed."),
    is_needed_unless_transparent=True,
    media_types=("image/png",),
    max_bytes=2 * MIB,
)
