from django.urls import path

from generations.teams import views
from generations.teams.sessions import views as sessions_views

app_name = "teams"
urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", views.healthz, name="healthz"),
    path("accounts/sessions/", sessions_views.session_list, name="sessions"),
    path("accounts/sessions/others/end/", sessions_views.end_others, name="end_other_sessions"),
    path("accounts/sessions/<int:pk>/end/", sessions_views.end, name="end_session"),
]
