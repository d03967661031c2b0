"""URLs of share links, below /s/; they need no account."""

from django.urls import path

from generations.library.sharing import public_views

app_name = "share"
urlpatterns = [
    path("<str:token>/", public_views.page, name="page"),
    path("<str:token>/unlock", public_views.unlock, name="unlock"),
    path("<str:token>/zip", public_views.archive, name="archive"),
    path("<str:token>/<uuid:image>/", public_views.picture, name="picture"),
    path("<str:token>/<uuid:image>/original", public_views.original, name="original"),
    path("<str:token>/<uuid:image>/download", public_views.download, name="download"),
    path("<str:token>/<uuid:image>/card.jpg", public_views.card, name="card"),
    path("<str:token>/<uuid:image>/<str:size>", public_views.thumbnail, name="thumbnail"),
]
