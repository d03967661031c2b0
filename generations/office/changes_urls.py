"""The audit log of the whole installation, for operators."""

from django.urls import path

from generations.office import changes_views

app_name = "changes"
urlpatterns = [
    path("", changes_views.of_installation, name="page"),
    path("export.csv", changes_views.of_installation_csv, name="csv"),
]
