"""The audit log of the whole installation, for operators."""

from django.urls import path

from generations.office.audit_log import views as audit_log_views

app_name = "changes"
urlpatterns = [
    path("", audit_log_views.of_installation, name="page"),
    path("export.csv", audit_log_views.of_installation_csv, name="csv"),
]
