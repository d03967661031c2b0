"""Notices belong to a person: which they want, and putting one away."""

from django.urls import path

from generations.office.notices import views as notices_views

app_name = "notices"
urlpatterns = [
    path("", notices_views.choices, name="choices"),
    path("<int:notice>/dismiss/", notices_views.dismiss, name="dismiss"),
]
