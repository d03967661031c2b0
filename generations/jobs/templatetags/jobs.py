"""Tags and filters for generations: progress, shape classes, titles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.credits.amounts import as_text
from generations.jobs.engine import queue_position
from generations.jobs.models import NO_ACCOUNT, Generation
from generations.library.imaging import aspect_ratio as imaging_aspect_ratio
from generations.library.models import Image
from generations.providers.catalogue import registry as catalogue_registry

register = template.Library()

MAX_TICKS = 8  # queue positions drawn as ticks; more are a "+"
MAX_PERCENT = 96  # of the progress bar, when a call takes longer than usual
# Codes of failures that are not due to the request. A refused one must be edited before it is sent again.
RETRYABLE_CODES = frozenset(
    {"busy", "unknown", "interrupted", "patience", "unserved", "given_up", NO_ACCOUNT}
)


@dataclass(frozen=True)
class Progress:
    """Seconds since the call was sent, seconds it usually takes, and per cent for the bar."""

    elapsed: int
    typical: int
    percent: int


@register.simple_tag
def progress(generation: Generation) -> Progress:
    """The progress of a running generation, estimated from recent calls for its model."""
    typical = max(1, round(queue_position.typical_seconds(generation.model)))
    started = generation.claimed_at or timezone.now()
    elapsed = max(0, int((timezone.now() - started).total_seconds()))
    return Progress(elapsed, typical, min(MAX_PERCENT, round(100 * elapsed / typical)))


@register.filter
def ticks(position: int) -> range:
    """One tick for each queue position, up to MAX_TICKS."""
    return range(min(position, MAX_TICKS))


@register.filter
def shape_class(aspect_ratio: str) -> str:
    """16:9 as 16x9, for CSS classes."""
    return aspect_ratio.replace(":", "x") if aspect_ratio in catalogue_registry.SHAPES else "1x1"


@register.simple_tag
def ratio_class(generation: Generation | None, image: Image | None = None) -> str:
    """The CSS class of the image's shape, also before there is an image."""
    if image:
        return f"ratio-{shape_class(imaging_aspect_ratio.nearest(image.width, image.height))}"
    start = generation.batch.start_image if generation else None
    if generation and start and "aspect_ratio" not in generation.parameters:
        return f"ratio-{shape_class(imaging_aspect_ratio.nearest(start.width, start.height))}"
    return f"ratio-{shape_class(generation.parameters.get('aspect_ratio', '1:1') if generation else '1:1')}"


@register.filter
def picture_class(image: Image) -> str:
    """The CSS class of a stored image's shape."""
    return f"ratio-{shape_class(imaging_aspect_ratio.nearest(image.width, image.height))}"


@register.filter
def reuse_of(generation: Generation | None, image: Image | None) -> str:
    """The query of Create that reuses an image: by its generation, or by the image if that is gone."""
    if generation:
        return f"from={generation.pk}"
    return f"image={image.pk}" if image else ""


register.filter(catalogue_registry.model_title)


@register.filter
def style_title(parameters: dict[str, Any]) -> str:
    """The title of the style of a request; empty if it has none."""
    return _(catalogue_registry.STYLES.get(str(parameters.get("style_preset", "")), ""))


@register.filter
def signed(amount: int) -> str:
    """Hundredths of a credit as credits with a sign."""
    return f"{'+' if amount > 0 else '−'}{as_text(abs(amount))}"  # noqa: RUF001  the minus sign


@register.filter
def is_worth_repeating(generation: Generation) -> bool:
    """Whether the same request may succeed if it is sent again."""
    return generation.code in RETRYABLE_CODES and bool(generation.parameters)
