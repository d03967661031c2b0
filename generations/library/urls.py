"""The library's addresses, below /t/<team>/."""

from django.urls import path

from . import share_views, trash_views, upload_views, views

app_name = "library"
urlpatterns = [
    path("library/", views.grid, name="grid"),
    path("thumbnail/<uuid:image>/<str:size>", views.thumbnail, name="thumbnail"),
    path("image/<uuid:image>/original", views.original, name="original"),
    path("image/<uuid:image>/download", views.download, name="download"),
    path("image/<uuid:image>/use-as-start", views.use_as_start, name="use_as_start"),
    path("library/share/", share_views.share, name="share"),
    path("library/shares/", share_views.shares, name="shares"),
    path("library/shares/<uuid:share>/revoke/", share_views.revoke, name="revoke_share"),
    path("upload/", views.upload, name="upload"),
    path("upload/<uuid:upload>/", views.upload_preview, name="upload_preview"),
    path("library/trash/", trash_views.trash, name="trash"),
    path("library/trash/empty/", trash_views.empty_trash, name="empty_trash"),
    path("library/trash/<uuid:image>/<str:size>", trash_views.trashed_thumbnail, name="trashed_thumbnail"),
    path("library/upload/", upload_views.upload_images, name="upload_images"),
    path("upload/<uuid:upload>/add/", upload_views.add_upload, name="add_upload"),
]
