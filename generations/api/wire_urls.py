"""Addresses of the wire formats that Django answers; `wire` answers those that wait."""

from django.urls import path

from generations.api import wire_views

app_name = "wire"
urlpatterns = [path("pictures/<uuid:image>", wire_views.picture, name="picture")]
