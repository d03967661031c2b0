"""The pictures of the grid. Most are drawn from patterns: see `core.html_pattern`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from generations.core.html_pattern import Pattern, mark
from generations.library.delivery import shown
from generations.library.models import Image, ImageKind
from generations.teams.models import Membership, Team

TEMPLATE = "library/gallery/picture.html"
NAMES = ("team", "image", "ratio", "words", "query", *shown.NAMES)
PICTURES = frozenset({ImageKind.IMAGE.value, ImageKind.SVG.value})


def html(image: Image, member: Membership, session: str, *, is_liked: bool, query: str) -> SafeString:
    """A picture of the grid; `query` is the search that its page goes on in."""
    picture = shown.thumbnail(image, member, session)
    own: dict[str, Any] = {
        "ratio": shown.ratio_class(image.width, image.height),
        "words": shown.alternative_text(image.prompt or image.title),
        "query": query,
    }
    if image.kind not in PICTURES:
        context = {"image": image, "member": member, "picture": picture, "is_liked": is_liked}
        return render_to_string(TEMPLATE, context | own)
    pattern = _pattern(get_language(), shown.Look.of(image), is_liked, bool(query))
    return pattern.fill(team=member.team.slug, image=image.pk, **own, **picture.values())


@lru_cache(maxsize=512)
def _pattern(_language: str | None, look: shown.Look, is_liked: bool, has_query: bool) -> Pattern:
    """All pictures of which this is the same; it does not depend on who looks."""
    context = {
        "image": look.marked_image(),
        "picture": look.marked_thumbnail(),
        "ratio": mark("ratio"),
        "words": mark("words"),
        "query": mark("query") if has_query else "",
        "is_liked": is_liked,
        "member": Membership(team=Team(slug=str(mark("team")))),
    }
    return Pattern(render_to_string(TEMPLATE, context), NAMES)
