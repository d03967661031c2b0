from django.urls import path

from generations.jobs import views

app_name = "jobs"
urlpatterns = [
    path("create/", views.create, name="create"),
    path("stream/", views.batches, name="stream"),
    path("generation/<uuid:generation>/", views.generation, name="generation"),
    path("generation/<uuid:generation>/tile/", views.tile, name="tile"),
    path("generation/<uuid:generation>/cancel/", views.cancel, name="cancel"),
    path("generation/<uuid:generation>/retry/", views.retry, name="retry"),
    path("notices/", views.notices, name="notices"),
    path("cancel-waiting/", views.cancel_all, name="cancel_all"),
    path("picture/<uuid:image>/", views.picture, name="picture"),
]
