"""The portal's own API, and the page to read and try it."""

from django.urls import path

from generations.api.v1 import docs_views
from generations.api.v1.api import api

urlpatterns = [
    path("api/docs/", docs_views.page, name="api_docs"),
    path("api/v1/", api.urls),
]
