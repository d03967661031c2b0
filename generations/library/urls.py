"""The library's addresses, below /t/<team>/."""

from django.urls import path

from . import archive_views, views

app_name = "library"
urlpatterns = [
    path("library/", views.grid, name="grid"),
    path("thumbnail/<uuid:image>/<str:size>", views.thumbnail, name="thumbnail"),
    path("image/<uuid:image>/original", views.original, name="original"),
    path("image/<uuid:image>/download", views.download, name="download"),
    path("image/<uuid:image>/use-as-start", views.use_as_start, name="use_as_start"),
    path("upload/", views.upload, name="upload"),
    path("upload/<uuid:upload>/", views.upload_preview, name="upload_preview"),
    path("library/archives/", archive_views.ask, name="archive"),
    path("library/archives/<uuid:archive>/", archive_views.progress, name="archive_progress"),
    path("library/archives/<uuid:archive>.zip", archive_views.file, name="archive_file"),
]
