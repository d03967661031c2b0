"""Tags and filters for generations: progress, shape classes, titles."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import template
from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations.credits.amounts import as_text
from generations.jobs import inputs as job_inputs
from generations.jobs.create.controls import Control
from generations.jobs.create.prompt_diff import Piece
from generations.jobs.create.served import OperationEntry, ServedModels
from generations.jobs.engine import member_reasons
from generations.jobs.engine.queue_position import QueuePosition
from generations.jobs.live import feed, under_way
from generations.jobs.live import tiles as live_tiles
from generations.jobs.models import NO_ACCOUNT, Batch, Generation, Status
from generations.library.delivery import shown
from generations.library.models import Image
from generations.providers.base import CONTENT_CODES
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import TITLES, Operation
from generations.teams.models import Membership

register = template.Library()

SHAPE_WORDS = {
    "auto": gettext_lazy("left to the image or the model"),
    "21:9": gettext_lazy("panorama"),
    "16:9": gettext_lazy("wide screen"),
    "3:2": gettext_lazy("photo"),
    "5:4": gettext_lazy("nearly square, wide"),
    "1:1": gettext_lazy("square"),
    "4:5": gettext_lazy("nearly square, tall"),
    "2:3": gettext_lazy("portrait photo"),
    "9:16": gettext_lazy("phone screen"),
    "9:21": gettext_lazy("banner"),
}
# Codes of failures that are not due to the request. A refused one must be edited before it is sent again.
RETRYABLE_CODES = frozenset(
    {
        "busy",
        "unknown",
        "interrupted",
        "patience",
        "unserved",
        "given_up",
        "result_lost",
        "task_expired",
        NO_ACCOUNT,
    }
)
# Codes of pictures of which another may be accepted: the filters of providers judge each picture by itself.
UNDECIDED = frozenset({"filtered", "task_failed"})  # neither the prompt nor the request was refused
BY_CHANCE = frozenset({""} | UNDECIDED | CONTENT_CODES)


@register.simple_tag
def progress(generation: Generation) -> under_way.Progress:
    """The progress of a running generation."""
    return under_way.Progress.of(generation)


@register.simple_tag
def waiting_of(position: QueuePosition | None, member: Membership) -> under_way.Waiting:
    """What the tile of a waiting generation of the member says."""
    return under_way.Waiting.of(position, member.tzinfo)


register.filter(under_way.shape_class)


@register.filter
def value_of(mapping: Mapping[str, Any], key: str) -> Any:
    """The value at a key; "" if there is none."""
    return mapping.get(key, "")


@register.simple_tag
def ratio_class(generation: Generation | None, image: Image | None = None) -> str:
    """The CSS class of the image's shape, also before there is an image."""
    if image:
        return shown.ratio_class(image.width, image.height)
    return under_way.ratio_class(generation) if generation else "ratio-1x1"


@register.filter
def picture_class(image: Image) -> str:
    """The CSS class of a stored image's shape."""
    return shown.ratio_class(image.width, image.height)


@register.simple_tag(takes_context=True)
def tile(context: Context, tile: Mapping[str, Any]) -> SafeString:
    """One of the tiles of a batch: {% tile tile %}."""
    token = str(context.get("csrf_token") or "")
    drawn = live_tiles.html(tile, shown.session_of(context.get("request")), token)
    if drawn is not None:
        return drawn
    assert context.template
    with context.push(**tile):
        return context.template.engine.get_template("jobs/live/tile.html").render(context)


@register.filter
def reuse_of(generation: Generation | None, image: Image | None) -> str:
    """The query of Create that reuses an image: by its generation, or by the image if that is gone."""
    if generation:
        return f"from={generation.pk}"
    return f"image={image.pk}" if image else ""


@register.filter
def with_deletions(pieces: Iterable[Piece]) -> SafeString:
    """The pieces of a prompt, with those marked that are gone in the other one."""
    return _marked(pieces, "<del>{}</del>")


@register.filter
def with_insertions(pieces: Iterable[Piece]) -> SafeString:
    """The pieces of a prompt, with those marked that the other one has not."""
    return _marked(pieces, "<ins>{}</ins>")


def _marked(pieces: Iterable[Piece], element: str) -> SafeString:
    parts = (format_html(element if piece.is_changed else "{}", piece.text) for piece in pieces)
    return format_html_join("", "{}", ((part,) for part in parts))


@register.simple_tag
def new_uuid() -> str:
    """A random UUID, by which a press that is sent twice is known."""
    return str(uuid.uuid4())


register.filter(catalogue_registry.model_title)
register.filter("stream_size", feed.size_of)
register.filter("shown_reason", member_reasons.as_shown)


register.filter("inputs_of", job_inputs.shown)


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
def operations_of_a_picture(member: Membership) -> tuple[OperationEntry, ...]:
    """What can be done with any picture, as far as an account serves it; for links to Create."""
    return ServedModels(member).of_a_picture


@register.simple_tag
def control_of(model: Model, name: str, value: str) -> Control:
    """The control of a model's field, without errors."""
    return Control(model.field(name), value, model=model)


@register.simple_tag
def models_for_the_same(member: Membership, name: str) -> list[Model]:
    """The other models that do what this one does, as far as an account serves them; for links to Create."""
    known = catalogue_registry.MODELS.get(name)
    operation = known.operation if known else Operation.GENERATE
    return [model for model in ServedModels(member).of(operation) if model.name != name]


@register.filter
def shape_word(shape: str) -> str:
    """What people call a shape; the shape itself if it has no such word."""
    return str(SHAPE_WORDS.get(shape, shape))


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
    return generation.code in RETRYABLE_CODES and not generation.is_erased


@register.filter
def may_end_otherwise(generation: Generation) -> bool:
    """Whether the same request, which was not refused, may end with an image if it is sent again."""
    return generation.code in UNDECIDED and not generation.is_erased


@dataclass(frozen=True)
class EndedGroup:
    """Generations of a batch that ended without an image for the same reason, in words."""

    words: str
    rows: list[Generation]

    @property
    def is_repeatable(self) -> bool:
        """Whether the same request may succeed if it is sent again."""
        first = self.rows[0]
        # What was canceled may have the code of a call before, which a busy provider refused.
        may_succeed = first.status == Status.CANCELED or first.code in RETRYABLE_CODES | BY_CHANCE
        return not first.is_erased and may_succeed


@register.simple_tag
def ended_groups(tiles: Sequence[Mapping[str, Any]]) -> list[EndedGroup]:
    """What of a batch of several ended without an image, by its reason; of a single one its tile tells."""
    rows = [tile["generation"] for tile in tiles]
    groups: dict[str, list[Generation]] = {}
    for row in rows:
        if row.is_finished and row.status != Status.SUCCEEDED and row.batch.count > 1:
            groups.setdefault(_reason(row), []).append(row)
    return [EndedGroup(text % {"count": len(group)}, group) for text, group in groups.items()]


def _reason(row: Generation) -> str:
    """Why a generation ended without an image, as a sentence about %(count)s of them."""
    if row.status == Status.CANCELED:
        return _("%(count)d canceled, not charged")
    if row.status == Status.FILTERED:
        return _("%(count)d blurred by the provider's filter, not charged")
    if row.code in CONTENT_CODES:
        return _("%(count)d refused (content), not charged")
    if row.code == "invalid_language":
        return _("%(count)d refused (English only), not charged")
    return _("%(count)d not charged:") + " " + member_reasons.as_shown(row).replace("%", "%%")
