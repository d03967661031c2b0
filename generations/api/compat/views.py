"""What the wire formats need of ordinary pages: pictures behind their links."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from generations.api.compat import signed_urls as compat_signed_urls
from generations.library.delivery import responses as delivery_responses
from generations.library.models import Image
from generations.library.storage import client as storage_client


@require_safe
@delivery_responses.handle_storage_errors
def picture(request: HttpRequest, image: uuid.UUID) -> HttpResponseBase:
    """The picture's own bytes for whoever has a link that is still good; nothing says whose or what it is."""
    if not compat_signed_urls.verify(image, request.GET.get("until", ""), request.GET.get("seal", "")):
        raise Http404
    found = get_object_or_404(Image, pk=image, trashed_at=None, team__deactivated_at=None)
    extension = storage_client.EXTENSIONS.get(found.media_type, "bin")
    answer = delivery_responses.stream_object(request, found, name=f"{found.pk}.{extension}")
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"  # a link may stand in a page of anybody's
    return answer
