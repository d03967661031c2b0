"""URLs that are not below a team: joining one, a person's profile, and the installation for operators."""

from django.urls import include, path

from generations.office.audit_log import views as audit_log_views
from generations.office.installation import views as installation_views
from generations.office.invitations import join_views
from generations.office.members import team_views
from generations.office.notices import views as notices_views
from generations.office.personal_data import views as personal_data_views
from generations.office.profile import views as profile_views

people = [
    path("join/<slug:token>/", join_views.join, name="join"),
    path("join/<slug:token>/account/", join_views.JoinSignupView.as_view(), name="join_account"),
    path("teams/new/", team_views.new_team, name="new_team"),
    path("accounts/teams/", team_views.my_teams, name="teams"),
]
profile = [
    path("", profile_views.page, name="page"),
    path("shortcuts/", profile_views.shortcuts, name="shortcuts"),
]
personal_data = [
    path("export/", personal_data_views.export_data, name="export"),
    path("delete/", personal_data_views.delete_account, name="delete"),
]
notices = [
    path("", notices_views.preferences, name="choices"),
    path("<int:notice>/dismiss/", notices_views.dismiss, name="dismiss"),
]
installation = [
    path("", installation_views.page, name="page"),
    path("difference/", installation_views.difference, name="difference"),
    path("issue/<slug:team>/", installation_views.issue, name="issue"),
]
changes = [
    path("", audit_log_views.installation_page, name="page"),
    path("export.csv", audit_log_views.installation_csv, name="csv"),
]
urlpatterns = [
    path("", include((people, "people"))),
    path("accounts/profile/", include((profile, "profile"))),
    path("accounts/notices/", include((notices, "notices"))),
    path("accounts/", include((personal_data, "personal_data"))),
    path("installation/", include((installation, "installation"))),
    path("installation/changes/", include((changes, "changes"))),
]
