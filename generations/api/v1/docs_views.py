"""The page that documents the API: ninja's Swagger UI, served by the portal itself."""

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show the documentation; public, because trying an operation needs a token."""
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
