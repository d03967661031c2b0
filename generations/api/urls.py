"""The portal's own API, the page that documents it, and the signed URLs of the compatible formats."""

from django.urls import include, path
from django.urls.resolvers import RoutePattern

from generations.api.compat import signed_urls as compat_signed_urls
from generations.api.v1 import docs_views
from generations.core.late_addresses import LateResolver

compat_urls = [path("pictures/<uuid:image>", compat_signed_urls.image_file, name="picture")]

urlpatterns = [
    path("api/docs/", docs_views.page, name="api_docs"),
    LateResolver(RoutePattern("api/v1/"), "generations.api.v1.urls", app_name="ninja", namespace="v1"),
    path("", include((compat_urls, "wire"))),
]
