"""Notices belong to a person: which they want, and putting one away."""

from django.urls import path

from generations.office import notice_views

app_name = "notices"
urlpatterns = [
    path("", notice_views.choices, name="choices"),
    path("<int:notice>/dismiss/", notice_views.dismiss, name="dismiss"),
]
