"""Tags and filters for generations: progress, shape classes, titles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.credits.amounts import as_text
from generations.jobs.create.served import OF_A_PICTURE, OperationEntry, ServedModels
from generations.jobs.engine import queue_position
from generations.jobs.models import NO_ACCOUNT, Batch, Generation
from generations.library.imaging import aspect_ratio as imaging_aspect_ratio
from generations.library.models import Image, Upload
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.inputs import IMAGE
from generations.providers.catalogue.operations import TITLES, Operation
from generations.teams.models import Membership

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
    """16:9 as 16x9, for CSS classes; of another shape the closest one."""
    if aspect_ratio in catalogue_registry.SHAPES:
        return aspect_ratio.replace(":", "x")
    across, _colon, down = aspect_ratio.partition(":")
    if not (across.isdecimal() and down.isdecimal() and int(across) and int(down)):
        return "1x1"
    return imaging_aspect_ratio.nearest(int(across), int(down)).replace(":", "x")


@register.filter
def value_of(mapping: Mapping[str, Any], key: str) -> Any:
    """The value at a key; "" if there is none."""
    return mapping.get(key, "")


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


@dataclass(frozen=True)
class ShownInput:
    """A picture that a batch was made from, with the title of its role."""

    upload: Upload
    title: str


@register.filter
def inputs_of(batch: Batch | None) -> list[ShownInput]:
    """The pictures that a batch was made from, in the order in which its model declares them."""
    if not batch:
        return []
    model = catalogue_registry.MODELS.get(batch.model)
    titles = {each.role: _(each.title) for each in model.inputs} if model else {}
    order = list(titles)
    rows = [(each.role, each.upload) for each in batch.inputs.all()]
    if not rows and batch.start_image:  # submitted by an older version
        rows = [(IMAGE, batch.start_image)]
    rows.sort(key=lambda row: order.index(row[0]) if row[0] in order else len(order))
    return [ShownInput(upload, titles.get(role, _("Picture"))) for role, upload in rows]


@register.filter
def operation_title(model: str) -> str:
    """What a model does, if that is not to generate; "" for one that the catalogue no longer has."""
    known = catalogue_registry.MODELS.get(model)
    is_told = known and known.operation is not Operation.GENERATE
    return _(TITLES[known.operation]) if known and is_told else ""


@register.filter
def shape_of_request(batch: Batch) -> str:
    """The aspect ratio asked for, or what the provider takes without one; "" if a picture decides."""
    model = catalogue_registry.MODELS.get(batch.model)
    shape = batch.parameters.get("aspect_ratio")
    if shape or not model or not model.takes("aspect_ratio"):
        return str(shape or "")
    field = model.field("aspect_ratio")
    return str(field.default or "") if field.when.holds(has_image=batch.start_image_id is not None) else ""


@register.simple_tag
def operations_of_a_picture(member: Membership) -> list[OperationEntry]:
    """What can be done with any picture, as far as an account serves it; for links to Create."""
    served = ServedModels(member).operations
    return [entry for entry in served if entry.operation in OF_A_PICTURE]


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
