"""How a generation is drawn on a page: its shape, how far it is, what its model is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.credits.amounts import as_text
from generations.jobs.engine import queue_position
from generations.library.imaging import aspect_ratio as imaging_aspect_ratio
from generations.providers.catalogue import registry as catalogue_registry

if TYPE_CHECKING:
    from generations.jobs.models import Generation
    from generations.library.models import Image

register = template.Library()

MOST_TICKS = 8  # places drawn as ticks; more are a "+"
NEARLY = 96  # per cent at which the bar waits when the guess is passed
# What the provider refused: the same words would be refused again, so they are edited first.
ABOUT_OURSELVES = frozenset({"busy", "unknown", "patience", "nobody_served", "given_up", "late"})


@dataclass(frozen=True)
class Progress:
    """Seconds since the call was sent, seconds it usually takes, and per cent for the bar."""

    elapsed: int
    typical: int
    percent: int


@register.simple_tag
def progress(generation: Generation) -> Progress:
    """How far a running generation is, judged by the last ones of its model."""
    typical = max(1, round(queue_position.typical_seconds(generation.model)))
    started = generation.started_at or timezone.now()
    elapsed = max(0, int((timezone.now() - started).total_seconds()))
    return Progress(elapsed, typical, min(NEARLY, round(100 * elapsed / typical)))


@register.filter
def ticks(position: int) -> range:
    """One tick for each place in line, as many as are drawn."""
    return range(min(position, MOST_TICKS))


@register.filter
def shape_class(aspect_ratio: str) -> str:
    """16:9 as it stands in class names."""
    return aspect_ratio.replace(":", "x") if aspect_ratio in catalogue_registry.SHAPES else "1x1"


@register.simple_tag
def ratio_class(generation: Generation | None, image: Image | None = None) -> str:
    """The class with the final shape, known before the picture is."""
    if image:
        return f"ratio-{shape_class(imaging_aspect_ratio.nearest(image.width, image.height))}"
    start = generation.batch.start_image if generation else None
    if generation and start and "aspect_ratio" not in generation.parameters:
        return f"ratio-{shape_class(imaging_aspect_ratio.nearest(start.width, start.height))}"
    return f"ratio-{shape_class(generation.parameters.get('aspect_ratio', '1:1') if generation else '1:1')}"


@register.filter
def picture_class(image: Image) -> str:
    """The class with the shape of a stored picture."""
    return f"ratio-{shape_class(imaging_aspect_ratio.nearest(image.width, image.height))}"


@register.filter
def reuse_of(generation: Generation | None, image: Image | None) -> str:
    """What names a picture to Create: its generation, or the picture itself once that is gone."""
    if generation:
        return f"from={generation.pk}"
    return f"image={image.pk}" if image else ""


register.filter(catalogue_registry.model_title)


@register.filter
def style_title(parameters: dict[str, Any]) -> str:
    """What people call the style of a request; nothing if it has none."""
    return _(catalogue_registry.STYLES.get(str(parameters.get("style_preset", "")), ""))


@register.filter
def signed(amount: int) -> str:
    """Hundredths of a credit with their sign, as in a ledger."""
    return f"{'+' if amount > 0 else '−'}{as_text(abs(amount))}"  # noqa: RUF001  the minus that is as wide as a plus


@register.filter
def is_worth_repeating(generation: Generation) -> bool:
    """True if the same request may well succeed: the provider was at fault and not the request."""
    return generation.code in ABOUT_OURSELVES
