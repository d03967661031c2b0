"""Links to single pictures that work without signing in, for an hour: what OpenAI's format calls `url`."""

from __future__ import annotations

import hmac
import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import salted_hmac

if TYPE_CHECKING:
    import uuid

    from generations.library.models import Image

SALT = "generations.api.picture_links"
GOOD_FOR = 3600  # seconds


def link(image: Image) -> str:
    """The picture's address, for whoever has it, from now on for an hour."""
    until = int(time.time()) + GOOD_FOR
    sealed = urlencode({"until": until, "seal": _seal(image.pk, until)})
    return f"{settings.PUBLIC_URL}{reverse('wire:picture', args=[image.pk])}?{sealed}"


def is_good(image: uuid.UUID, until: str, seal: str) -> bool:
    """Whether the link was made here for that picture, less than an hour ago."""
    if not (until.isascii() and until.isdecimal() and len(until) < 12 and seal.isascii()):
        return False
    return hmac.compare_digest(seal, _seal(image, int(until))) and time.time() < int(until)


def _seal(image: uuid.UUID, until: int) -> str:
    """128 bits that only this portal can compute."""
    return salted_hmac(SALT, f"{image}/{until}", algorithm="sha256").hexdigest()[:32]
