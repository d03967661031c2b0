"""Signed URLs of single images, valid for an hour without a session: `url` in OpenAI's format."""

from __future__ import annotations

import time
import uuid
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from generations.core import signed_url
from generations.library.delivery import responses as delivery_responses
from generations.library.models import Image
from generations.library.storage import keys as storage_keys

SALT = "generations.api.picture_links"  # URLs that were made before an upgrade are signed with it: it stays
VALID_SECONDS = 3600


def image_url(image: Image) -> str:
    """Return the absolute URL of an image that opens for anybody during the next hour."""
    until = int(time.time()) + VALID_SECONDS
    query = urlencode({"until": until, "seal": _signature(image.pk, until)})
    return f"{settings.PUBLIC_URL}{reverse('wire:picture', args=[image.pk])}?{query}"


def is_valid(image: uuid.UUID, until: str, signature: str) -> bool:
    """Whether this portal signed the URL of that image, and it has not expired."""
    expires = signed_url.parse_number(until)
    if expires is None or not signed_url.is_valid(signature, SALT, f"{image}/{expires}"):
        return False
    return time.time() < expires


@require_safe
@delivery_responses.handle_storage_errors
def image_file(request: HttpRequest, image: uuid.UUID) -> HttpResponseBase:
    """Serve the original file of an image for a valid signed URL; no header names its owner or prompt."""
    if not is_valid(image, request.GET.get("until", ""), request.GET.get("seal", "")):
        raise Http404
    row = get_object_or_404(Image, pk=image, trashed_at=None, team__deactivated_at=None)
    extension = storage_keys.EXTENSIONS.get(row.media_type, "bin")
    response = delivery_responses.stream_object(request, row, name=f"{row.pk}.{extension}")
    response["Cross-Origin-Resource-Policy"] = "cross-origin"  # any site may embed the URL
    return response


def _signature(image: uuid.UUID, until: int) -> str:
    return signed_url.sign(SALT, f"{image}/{until}").hex()
