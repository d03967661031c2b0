"""The credits of the whole installation, for operators."""

from django.urls import path

from generations.office.installation import views as installation_views

app_name = "installation"
urlpatterns = [
    path("", installation_views.page, name="page"),
    path("difference/", installation_views.difference, name="difference"),
    path("issue/<slug:team>/", installation_views.issue, name="issue"),
]
