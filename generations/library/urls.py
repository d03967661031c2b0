"""The library's addresses, below /t/<team>/."""

from django.urls import path

from . import archive_views, picture_views, share_views, trash_views, upload_views, views

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
    path("library/trash/", trash_views.trash, name="trash"),
    path("library/trash/empty/", trash_views.empty_trash, name="empty_trash"),
    path("library/trash/<uuid:image>/<str:size>", trash_views.trashed_thumbnail, name="trashed_thumbnail"),
    path("library/upload/", upload_views.upload_images, name="upload_images"),
    path("upload/<uuid:upload>/add/", upload_views.add_upload, name="add_upload"),
    path("library/archives/", archive_views.ask, name="archive"),
    path("library/archives/<uuid:archive>/", archive_views.progress, name="archive_progress"),
    path("library/archives/<uuid:archive>.zip", archive_views.file, name="archive_file"),
]
