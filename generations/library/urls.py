"""URLs of the library, below /t/<team>/."""

from django.urls import path

from generations.library.archives import views as archives_views
from generations.library.bulk import views as bulk_views
from generations.library.delivery import views as delivery_views
from generations.library.gallery import views as gallery_views
from generations.library.images import views as images_views
from generations.library.organise import views as organise_views
from generations.library.sharing import views as sharing_views
from generations.library.trash import views as trash_views
from generations.library.uploads import views as uploads_views

app_name = "library"
urlpatterns = [
    path("library/", gallery_views.grid, name="grid"),
    path("library/counts/", gallery_views.counts, name="counts"),
    path("library/newer/", gallery_views.newer, name="newer"),
    path("library/picker/", gallery_views.picker, name="picker"),
    path("library/tags/", gallery_views.tags, name="tags"),
    path("library/suggest/", gallery_views.suggest, name="suggest"),
    path("library/deeds/", bulk_views.start, name="deed"),
    path("library/deeds/<uuid:action>/", bulk_views.progress, name="deed_progress"),
    path("library/deeds/<uuid:action>/undo/", bulk_views.undo, name="undo"),
    path("library/collections/", organise_views.collections, name="collections"),
    path("library/collections/<uuid:collection>/", organise_views.collection, name="collection"),
    path(
        "library/collections/<uuid:collection>/delete/",
        organise_views.delete_collection,
        name="delete_collection",
    ),
    path("library/searches/", organise_views.save_search, name="save_search"),
    path("library/searches/<uuid:saved>/forget/", organise_views.forget_search, name="forget_search"),
    path("thumbnail/<uuid:image>/<str:size>", delivery_views.thumbnail, name="thumbnail"),
    path("image/<uuid:image>/original", delivery_views.original, name="original"),
    path("image/<uuid:image>/download", delivery_views.download, name="download"),
    path("image/<uuid:image>/use-as-start", uploads_views.use_as_start, name="use_as_start"),
    path("library/share/", sharing_views.share, name="share"),
    path("library/shares/", sharing_views.shares, name="shares"),
    path("library/shares/<uuid:share>/change/", sharing_views.change, name="change_share"),
    path("library/shares/<uuid:share>/revoke/", sharing_views.revoke, name="revoke_share"),
    path("image/<uuid:image>/like/", images_views.like, name="picture_like"),
    path("image/<uuid:image>/title/", images_views.set_title, name="picture_title"),
    path("image/<uuid:image>/visibility/", images_views.set_visibility, name="picture_visibility"),
    path("image/<uuid:image>/tag/", images_views.tag, name="picture_tag"),
    path("image/<uuid:image>/untag/", images_views.untag, name="picture_untag"),
    path("image/<uuid:image>/collections/", images_views.collections, name="picture_collections"),
    path("image/<uuid:image>/collect/", images_views.collect, name="picture_collect"),
    path("image/<uuid:image>/take-out/", images_views.take_out, name="picture_take_out"),
    path("image/<uuid:image>/trash/", images_views.trash, name="picture_trash"),
    path("image/<uuid:image>/restore/", images_views.restore, name="picture_restore"),
    path("upload/", uploads_views.upload, name="upload"),
    path("upload/<uuid:upload>/", uploads_views.upload_preview, name="upload_preview"),
    path("library/trash/", trash_views.trash, name="trash"),
    path("library/trash/empty/", trash_views.empty_trash, name="empty_trash"),
    path("library/trash/<uuid:image>/<str:size>", trash_views.trashed_thumbnail, name="trashed_thumbnail"),
    path("library/upload/", uploads_views.upload_images, name="upload_images"),
    path("upload/<uuid:upload>/add/", uploads_views.add_upload, name="add_upload"),
    path("library/archives/", archives_views.create, name="archive"),
    path("library/archives/<uuid:archive>/", archives_views.progress, name="archive_progress"),
    path("library/archives/<uuid:archive>.zip", archives_views.file, name="archive_file"),
]
