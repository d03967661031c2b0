"""Parameters of requests, parsed: what is not well-formed is answered with 404."""

from __future__ import annotations

import uuid

from django.http import Http404


def uuid_or_404(text: str) -> uuid.UUID:
    """The UUID in a parameter. Raises Http404 for any other text."""
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise Http404 from error
