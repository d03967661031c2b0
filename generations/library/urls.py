"""The library's addresses, below /t/<team>/."""

from django.urls import path

from . import picture_views, views

app_name = "library"
urlpatterns = [
    path("library/", views.grid, name="grid"),
    path("thumbnail/<uuid:image>/<str:size>", views.thumbnail, name="thumbnail"),
    path("image/<uuid:image>/original", views.original, name="original"),
    path("image/<uuid:image>/download", views.download, name="download"),
    path("image/<uuid:image>/use-as-start", views.use_as_start, name="use_as_start"),
    path("image/<uuid:image>/like/", picture_views.like, name="picture_like"),
    path("image/<uuid:image>/title/", picture_views.set_title, name="picture_title"),
    path("image/<uuid:image>/visibility/", picture_views.set_visibility, name="picture_visibility"),
    path("image/<uuid:image>/tag/", picture_views.tag, name="picture_tag"),
    path("image/<uuid:image>/untag/", picture_views.untag, name="picture_untag"),
    path("image/<uuid:image>/collections/", picture_views.collections, name="picture_collections"),
    path("image/<uuid:image>/collect/", picture_views.collect, name="picture_collect"),
    path("image/<uuid:image>/take-out/", picture_views.take_out, name="picture_take_out"),
    path("image/<uuid:image>/trash/", picture_views.trash, name="picture_trash"),
    path("image/<uuid:image>/restore/", picture_views.restore, name="picture_restore"),
    path("upload/", views.upload, name="upload"),
    path("upload/<uuid:upload>/", views.upload_preview, name="upload_preview"),
]
