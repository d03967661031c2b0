"""Addresses of the wire formats that Django answers; `wire` answers those that wait."""

from django.urls import path

from generations.api.compat import views as compat_views

app_name = "wire"
urlpatterns = [path("pictures/<uuid:image>", compat_views.picture, name="picture")]
