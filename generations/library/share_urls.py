"""The addresses of links, below /s/: for whoever has one."""

from django.urls import path

from . import shared_views

app_name = "share"
urlpatterns = [
    path("<str:token>/", shared_views.page, name="page"),
    path("<str:token>/<uuid:image>/", shared_views.picture, name="picture"),
    path("<str:token>/<uuid:image>/original", shared_views.original, name="original"),
    path("<str:token>/<uuid:image>/download", shared_views.download, name="download"),
    path("<str:token>/<uuid:image>/<str:size>", shared_views.thumbnail, name="thumbnail"),
]
