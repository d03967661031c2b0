"""Signed URLs of single images, valid for an hour without a session: `url` in OpenAI's format."""

from __future__ import annotations

import hmac
import time
import uuid
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.views.decorators.http import require_safe

from generations.library.delivery import responses as delivery_responses
from generations.library.models import Image
from generations.library.storage import client as storage_client

SALT = "generations.api.picture_links"
VALID_SECONDS = 3600


def signed_url(image: Image) -> str:
    """Return the absolute URL of an image that opens for anybody during the next hour."""
    until = int(time.time()) + VALID_SECONDS
    query = urlencode({"until": until, "seal": _signature(image.pk, until)})
    return f"{settings.PUBLIC_URL}{reverse('wire:picture', args=[image.pk])}?{query}"


def is_valid(image: uuid.UUID, until: str, signature: str) -> bool:
    """Whether this portal signed the URL of that image, and it has not expired."""
    if not (until.isascii() and until.isdecimal() and len(until) < 12 and signature.isascii()):
        return False
    return hmac.compare_digest(signature, _signature(image, int(until))) and time.time() < int(until)


@require_safe
@delivery_responses.while_storage_answers
def image_file(request: HttpRequest, image: uuid.UUID) -> HttpResponseBase:
    """Serve the original file of an image for a valid signed URL; no header names its owner or prompt."""
    if not is_valid(image, request.GET.get("until", ""), request.GET.get("seal", "")):
        raise Http404
    row = get_object_or_404(Image, pk=image, trashed_at=None, team__deactivated_at=None)
    extension = storage_client.EXTENSIONS.get(row.media_type, "bin")
    response = delivery_responses.as_it_is(request, row, name=f"{row.pk}.{extension}")
    response["Cross-Origin-Resource-Policy"] = "cross-origin"  # any site may embed the URL
    return response


def _signature(image: uuid.UUID, until: int) -> str:
    """128 bits that only this portal can compute."""
    return salted_hmac(SALT, f"{image}/{until}", algorithm="sha256").hexdigest()[:32]
