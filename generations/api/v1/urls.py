"""The addresses of /api/v1, by name."""

from generations.api.v1.api import api

urlpatterns, app_name, namespace = api.urls
