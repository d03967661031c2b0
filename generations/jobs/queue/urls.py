from django.urls import path

from generations.jobs.queue import views as queue_views

app_name = "queue"
urlpatterns = [
    path("", queue_views.page, name="page"),
    path("pause/", queue_views.pause_all, name="pause_all"),
    path("resume/", queue_views.resume_all, name="resume_all"),
    path("upstream/<int:upstream>/pause/", queue_views.pause, name="pause"),
    path("upstream/<int:upstream>/drain/", queue_views.drain, name="drain"),
    path("upstream/<int:upstream>/resume/", queue_views.resume, name="resume"),
    path("member/<int:member>/first/", queue_views.serve, {"first": True}, name="serve_first"),
    path("member/<int:member>/in-turn/", queue_views.serve, {"first": False}, name="serve_in_turn"),
    path("member/<int:member>/weight/", queue_views.set_weight, name="set_weight"),
    path("generation/<uuid:generation>/give-up/", queue_views.give_up, name="give_up"),
]
