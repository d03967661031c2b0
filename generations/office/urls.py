"""Where a team is run, under /t/<team>/team/; its pages are for owners and administrators."""

from django.urls import URLPattern, URLResolver, include, path

from generations.office.audit_log import views as audit_log_views
from generations.office.invitations import views as invitations_views
from generations.office.members import team_views
from generations.office.members import views as members_views
from generations.office.reports import views as reports_views

app_name = "office"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", reports_views.overview_page, name="overview"),
    path("ledger/", reports_views.ledger, name="ledger"),
    path("ledger/export.csv", reports_views.ledger_csv, name="ledger_csv"),
    path("ledger/export.json", reports_views.ledger_json, name="ledger_json"),
    path("", include("generations.office.credits.urls")),
    path("people/", members_views.everybody, name="people"),
    path("people/invite/", invitations_views.invite, name="invite"),
    path("people/invitation/<int:pk>/revoke/", invitations_views.revoke, name="revoke_invitation"),
    path("people/program/", members_views.new_program, name="new_program"),
    path("people/<int:pk>/", members_views.person, name="person"),
    path("people/<int:pk>/role/", members_views.set_role, name="set_role"),
    path("people/<int:pk>/weight/", members_views.set_weight, name="set_weight"),
    path("people/<int:pk>/name/", members_views.rename_program, name="rename_program"),
    path("people/<int:pk>/remove/", members_views.remove, name="remove_member"),
    path("settings/", team_views.settings, name="settings"),
    path("leave/", team_views.leave, name="leave"),
    path("changes/", audit_log_views.of_team, name="changes"),
    path("changes/export.csv", audit_log_views.of_team_csv, name="changes_csv"),
]
