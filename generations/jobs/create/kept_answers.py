"""Parts of Create that browsers keep: the address of each names what it says, and differs if that does."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

A_YEAR = 365 * 24 * 3600  # seconds


@lru_cache(maxsize=256)
def version_of(html: SafeString) -> str:
    """What differs if the HTML does, for its address."""
    return hashlib.sha256(html.encode()).hexdigest()[:16]


def kept_answer(request: HttpRequest, html: str, version: str) -> HttpResponse:
    """The HTML, which browsers keep if it is the `?version=` that the page asked for.

    If it is not, something has changed since the page was made, and the next page will ask for another one.
    """
    response = HttpResponse(html)
    is_asked_for = request.GET.get("version") == version
    response["Cache-Control"] = (
        f"private, max-age={A_YEAR}, immutable" if is_asked_for else "private, no-store"
    )
    return response
