"""A person's own choices for the library."""

from django.urls import path

from generations.jobs import choices_views

app_name = "choices"
urlpatterns = [path("", choices_views.page, name="page")]
