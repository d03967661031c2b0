from django.urls import path

from generations.teams import views

app_name = "teams"
urlpatterns = [path("", views.home, name="home"), path("healthz", views.healthz, name="healthz")]
