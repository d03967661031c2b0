"""The page on which the API is read and tried: ninja's Swagger UI from our own address."""

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """For everybody: what is described here is no secret, and to try it one needs a token."""
    settings = {
        "url": reverse("v1:openapi-json"),
        "layout": "BaseLayout",
        "deepLinking": True,
        "persistAuthorization": False,
        "tryItOutEnabled": True,
        "docExpansion": "list",
        "defaultModelsExpandDepth": 0,
    }
    return render(request, "api/docs.html", {"swagger": json.dumps(settings)})
