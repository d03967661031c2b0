"""Signed URLs of single images that open without signing in, for an hour: the `url` of OpenAI's format."""

from __future__ import annotations

import time
import uuid
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from generations.core import signed_url
from generations.library.models import Image

SALT = "generations.api.picture_links"  # URLs that were made before an upgrade are signed with it: it stays
VALID_FOR = 3600  # seconds


def link(image: Image) -> str:
    """The URL of an image, valid for an hour for anyone who has it."""
    until = int(time.time()) + VALID_FOR
    query = urlencode({"until": until, "seal": _signature(image.pk, until)})
    return f"{settings.PUBLIC_URL}{reverse('wire:picture', args=[image.pk])}?{query}"


def verify(image: uuid.UUID, until: str, signature: str) -> bool:
    """Whether the URL was signed here for that image and has not expired."""
    expires = signed_url.parse_number(until)
    if expires is None or not signed_url.is_valid(signature, SALT, f"{image}/{expires}"):
        return False
    return time.time() < expires


def _signature(image: uuid.UUID, until: int) -> str:
    return signed_url.sign(SALT, f"{image}/{until}").hex()
