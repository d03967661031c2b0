"""Parameters of requests, parsed: what is not well-formed is answered with 404, or is None."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime


def uuid_or_404(text: str) -> uuid.UUID:
    """The UUID in a parameter. Raises Http404 for any other text."""
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise Http404 from error


def page_number(request: HttpRequest) -> int:
    """The number in the parameter `page`, from 1; 1 for anything else."""
    text = request.GET.get("page", "")
    return max(int(text), 1) if text.isascii() and text.isdecimal() and len(text) < 9 else 1


def moment(text: str) -> datetime | None:
    """A moment with its time zone; None for anything else."""
    try:
        parsed = parse_datetime(text)
    except ValueError:
        return None
    return parsed if parsed and timezone.is_aware(parsed) else None
