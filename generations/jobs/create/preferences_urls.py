"""A person's own choices for the library."""

from django.urls import path

from generations.jobs.create import preferences_views

app_name = "choices"
urlpatterns = [path("", preferences_views.page, name="page")]
