"""The tiles of pictures that are finished, wait or are drawn, from patterns: see `core.html_pattern`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from generations.core.html_pattern import Pattern, mark
from generations.jobs.live import under_way
from generations.jobs.models import Generation, Status
from generations.library.delivery import shown
from generations.library.models import ImageKind
from generations.teams.models import Membership, Team

NAMES = ("team", "generation", "price", "image", "ratio", "words", *shown.NAMES)
WAITING_NAMES = ("team", "generation", "price", "ratio", "ticks", "words", "about", "token")
RUNNING_NAMES = ("team", "generation", "price", "ratio", "elapsed", "typical", "percent", "words")
PICTURES = frozenset({ImageKind.IMAGE.value, ImageKind.SVG.value})


def html(tile: Mapping[str, Any], session: str, token: str = "") -> SafeString | None:
    """The tile of a generation, by its context as `feed` and `render` make it; most are one of these.

    None for every other: templates/jobs/live/tile.html draws it. `token` is the page's token against forged
    forms, for pages without scripts.
    """
    row, image = tile["generation"], tile["image"]
    if row.status == Status.QUEUED:
        return _waiting(tile, token)
    if row.status in (Status.RUNNING, Status.STORING) and not tile["task"]:
        return _running(tile)
    if row.status != Status.SUCCEEDED or not image or image.kind not in PICTURES or tile["follow_ups"]:
        return None
    picture = shown.thumbnail(image, tile["member"], session)
    pattern = _pattern(get_language(), shown.Look.of(image), tile["is_favourite"], tile["more"])
    return pattern.fill(
        **_named(tile),
        image=image.pk,
        ratio=shown.ratio_class(image.width, image.height),
        words=shown.alternative_text(row.prompt),
        **picture.values(),
    )


def _waiting(tile: Mapping[str, Any], token: str) -> SafeString:
    says = under_way.Waiting.of(tile["queue_position"], tile["member"].tzinfo)
    pattern = _waiting_pattern(get_language(), says.is_halted, bool(token))
    return pattern.fill(
        **_named(tile),
        ratio=under_way.ratio_class(tile["generation"]),
        ticks=says.ticks,
        words=says.words,
        about=says.about,
        token=token,
    )


def _running(tile: Mapping[str, Any]) -> SafeString:
    row = tile["generation"]
    drawn = under_way.Progress.of(row)
    return _running_pattern(get_language(), row.status).fill(
        **_named(tile), ratio=under_way.ratio_class(row), words=drawn.words, **vars(drawn)
    )


def _named(tile: Mapping[str, Any]) -> dict[str, object]:
    """What every tile names."""
    row = tile["generation"]
    return {"team": tile["member"].team.slug, "generation": row.pk, "price": row.price}


@lru_cache(maxsize=512)
def _pattern(_language: str | None, look: shown.Look, is_favourite: bool, more: int) -> Pattern:
    """The tile of all pictures of which this is the same; it does not depend on who looks."""
    context = _marked(Status.SUCCEEDED) | {
        "image": look.marked_image(),
        "picture": look.marked_thumbnail(),
        "words": mark("words"),
        "is_favourite": is_favourite,
        "more": more,
    }
    return Pattern(render_to_string("jobs/live/done_tile.html", context), NAMES)


@lru_cache(maxsize=64)
def _waiting_pattern(_language: str | None, is_halted: bool, has_token: bool) -> Pattern:
    ticks, words, about = (SafeString(mark(name)) for name in ("ticks", "words", "about"))
    context = _marked(Status.QUEUED) | {
        "waiting": under_way.Waiting(ticks, is_halted, words, about),
        "csrf_token": mark("token") if has_token else "",
    }
    return Pattern(render_to_string("jobs/live/waiting_tile.html", context), WAITING_NAMES)


@lru_cache(maxsize=64)
def _running_pattern(_language: str | None, status: Status) -> Pattern:
    drawn = {name: mark(name) for name in ("elapsed", "typical", "percent", "words")}
    context = _marked(status) | {"drawn": drawn, "task": None}
    return Pattern(render_to_string("jobs/live/running_tile.html", context), RUNNING_NAMES)


def _marked(status: Status) -> dict[str, object]:
    """What every tile names, with marks."""
    return {
        "generation": Generation(pk=mark("generation"), price=str(mark("price")), status=status),
        "ratio": mark("ratio"),
        "member": Membership(team=Team(slug=str(mark("team")))),
    }
