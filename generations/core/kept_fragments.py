"""Parts of pages that are the same on many: rendered once per process and language, then kept."""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from generations.core.html_pattern import without_indents

KEPT = 4096  # of some hundred bytes each


def kept_fragment(template: str, **values: Hashable) -> SafeString:
    """Return the rendered template, which sees nothing but these values: no request and no member.

    For values of which there are few different ones. They must not change: equal ones get the same text.
    """
    return _rendered(template, get_language(), tuple(values.items()))


@lru_cache(maxsize=KEPT)
def _rendered(template: str, _language: str | None, values: tuple[tuple[str, Hashable], ...]) -> SafeString:
    return SafeString(without_indents(render_to_string(template, dict(values))))
