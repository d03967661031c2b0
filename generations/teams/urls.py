from django.urls import path

from generations.teams import session_views, views

app_name = "teams"
urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", views.healthz, name="healthz"),
    path("accounts/sessions/", session_views.everywhere, name="sessions"),
    path("accounts/sessions/others/end/", session_views.end_others, name="end_other_sessions"),
    path("accounts/sessions/<int:pk>/end/", session_views.end, name="end_session"),
]
