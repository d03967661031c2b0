"""The library's addresses, below /t/<team>/."""

from django.urls import path

from . import collection_views, deed_views, grid_views, views

app_name = "library"
urlpatterns = [
    path("library/", grid_views.grid, name="grid"),
    path("library/counts/", grid_views.counts, name="counts"),
    path("library/newer/", grid_views.newer, name="newer"),
    path("library/tags/", grid_views.tags, name="tags"),
    path("library/deeds/", deed_views.deed, name="deed"),
    path("library/deeds/<uuid:deed>/", deed_views.progress, name="deed_progress"),
    path("library/deeds/<uuid:deed>/undo/", deed_views.undo, name="undo"),
    path("library/collections/", collection_views.collections, name="collections"),
    path("library/collections/<uuid:collection>/", collection_views.collection, name="collection"),
    path(
        "library/collections/<uuid:collection>/delete/",
        collection_views.delete_collection,
        name="delete_collection",
    ),
    path("library/searches/", collection_views.save_search, name="save_search"),
    path("library/searches/<uuid:saved>/forget/", collection_views.forget_search, name="forget_search"),
    path("thumbnail/<uuid:image>/<str:size>", views.thumbnail, name="thumbnail"),
    path("image/<uuid:image>/original", views.original, name="original"),
    path("image/<uuid:image>/download", views.download, name="download"),
    path("image/<uuid:image>/use-as-start", views.use_as_start, name="use_as_start"),
    path("upload/", views.upload, name="upload"),
    path("upload/<uuid:upload>/", views.upload_preview, name="upload_preview"),
]
