"""Two to four images beside each other, with what differs in how they were made."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from generations.jobs.create import detail
from generations.jobs.create.detail import COMPARED, MAX_COMPARED, MIN_COMPARED
from generations.library.models import Image
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Membership


@dataclass(frozen=True)
class Value:
    """One parameter of one image."""

    title: str
    text: str  # "" where the image has no such parameter
    is_long: bool = False


@dataclass(frozen=True)
class Column:
    """An image, the parameters in which it differs from the others, and the page without it."""

    image: Image
    differing: list[Value]
    without: str  # query string; "" if too few would be left


@dataclass(frozen=True)
class Comparison:
    """The images in the order in which they were named, and the parameters that all of them share."""

    columns: list[Column]
    shared: list[Value]


def of_images(member: Membership, pks: Sequence[uuid.UUID]) -> Comparison | None:
    """Compare pictures that the member may see; None if these are not two to four. One query."""
    wanted = list(dict.fromkeys(pks))
    visible = Image.objects.visible_to(member).filter(kind__in=COMPARED)
    found = visible.select_related("owner__user").in_bulk(wanted[: MAX_COMPARED + 1])
    images = [found[pk] for pk in wanted if pk in found]
    if not MIN_COMPARED <= len(images) <= MAX_COMPARED or len(images) != len(wanted):
        return None
    values = [_values(image) for image in images]
    titles = list(dict.fromkeys(title for each in values for title in each))
    rows = {title: [each.get(title, Value(title, "")) for each in values] for title in titles}
    differing = {title: row for title, row in rows.items() if len({value.text for value in row}) > 1}
    columns = [
        Column(image, [row[number] for row in differing.values()], _without(images, image))
        for number, image in enumerate(images)
    ]
    return Comparison(columns, [row[0] for title, row in rows.items() if title not in differing])


def _without(images: Sequence[Image], left_out: Image) -> str:
    named = [("image", str(image.pk)) for image in images if image.pk != left_out.pk]
    return urlencode(named) if len(named) >= MIN_COMPARED else ""


def _values(image: Image) -> dict[str, Value]:
    """What is known of how an image was made, by its title."""
    parameters = detail.parameters_of(image)
    values = [
        Value(_("Prompt"), image.prompt, is_long=True),
        Value(_("Negative prompt"), image.negative_prompt, is_long=True),
        Value(_("Model"), catalogue_registry.model_title(image.model) if image.model else ""),
        Value(_("Size"), f"{image.width} × {image.height}" if image.width else ""),  # noqa: RUF001  of sizes
        Value(_("Seed"), "" if image.seed is None else str(image.seed)),
    ]
    values += [
        Value(fact.title, fact.value, fact.is_wide) for fact in detail.facts_of(image.model, parameters)
    ]
    return {value.title: value for value in values if value.text}
