"""The tiles of finished pictures, which most are, drawn from patterns: see `core.html_pattern`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from generations.core.html_pattern import Pattern, mark
from generations.jobs.models import Generation, Status
from generations.library.delivery import shown
from generations.library.models import ImageKind
from generations.teams.models import Membership, Team

NAMES = ("team", "generation", "price", "image", "ratio", "words", *shown.NAMES)
PICTURES = frozenset({ImageKind.IMAGE.value, ImageKind.SVG.value})


def html(tile: Mapping[str, Any], session: str) -> SafeString | None:
    """The tile of a finished picture, by its context as `feed` and `render` make it.

    None for every other: templates/jobs/live/tile.html draws it.
    """
    row, image = tile["generation"], tile["image"]
    if row.status != Status.SUCCEEDED or not image or image.kind not in PICTURES or tile["follow_ups"]:
        return None
    picture = shown.thumbnail(image, tile["member"], session)
    pattern = _pattern(get_language(), shown.Look.of(image), tile["is_favourite"], tile["more"])
    return pattern.fill(
        team=tile["member"].team.slug,
        generation=row.pk,
        price=row.price,
        image=image.pk,
        ratio=shown.ratio_class(image.width, image.height),
        words=shown.alternative_text(row.prompt),
        **picture.values(),
    )


@lru_cache(maxsize=512)
def _pattern(_language: str | None, look: shown.Look, is_favourite: bool, more: int) -> Pattern:
    """The tile of all pictures of which this is the same; it does not depend on who looks."""
    context = {
        "generation": Generation(pk=mark("generation"), price=str(mark("price")), status=Status.SUCCEEDED),
        "image": look.marked_image(),
        "picture": look.marked_thumbnail(),
        "ratio": mark("ratio"),
        "words": mark("words"),
        "is_favourite": is_favourite,
        "more": more,
        "member": Membership(team=Team(slug=str(mark("team")))),
    }
    return Pattern(render_to_string("jobs/live/done_tile.html", context), NAMES)
