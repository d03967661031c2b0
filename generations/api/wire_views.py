"""What the wire formats need of ordinary pages: pictures behind their links."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from generations.api import picture_links
from generations.library import serving, storage
from generations.library.models import Image


@require_safe
@serving.while_storage_answers
def picture(request: HttpRequest, image: uuid.UUID) -> HttpResponseBase:
    """The picture's own bytes for whoever has a link that is still good; nothing says whose or what it is."""
    if not picture_links.is_good(image, request.GET.get("until", ""), request.GET.get("seal", "")):
        raise Http404
    found = get_object_or_404(Image, pk=image, trashed_at=None, team__deactivated_at=None)
    extension = storage.EXTENSIONS.get(found.media_type, "bin")
    answer = serving.as_it_is(request, found, name=f"{found.pk}.{extension}")
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"  # a link may stand in a page of anybody's
    return answer
