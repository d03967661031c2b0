from django.urls import path

from generations.jobs.create import views as create_views

app_name = "jobs"
urlpatterns = [
    path("create/", create_views.create, name="create"),
    path("stream/", create_views.batches, name="stream"),
    path("generation/<uuid:generation>/", create_views.generation, name="generation"),
    path("generation/<uuid:generation>/tile/", create_views.tile, name="tile"),
    path("generation/<uuid:generation>/cancel/", create_views.cancel, name="cancel"),
    path("generation/<uuid:generation>/retry/", create_views.retry, name="retry"),
    path("notices/", create_views.notices, name="notices"),
    path("cancel-waiting/", create_views.cancel_all, name="cancel_all"),
    path("picture/<uuid:image>/", create_views.picture, name="picture"),
    path("picture/<uuid:image>/next/", create_views.follow_up, name="follow_up"),
]

# Of a user, not of a team: included at another address.
preferences = ([path("", create_views.preferences, name="page")], "choices")
