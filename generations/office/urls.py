"""Where a team is run, under /t/<team>/team/; its pages are for owners and administrators."""

from django.urls import URLPattern, URLResolver, include, path

from generations.office import changes_views, invitation_views, people_views, seeing_views, team_views

app_name = "office"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", seeing_views.overview_page, name="overview"),
    path("ledger/", seeing_views.ledger, name="ledger"),
    path("ledger/export.csv", seeing_views.ledger_csv, name="ledger_csv"),
    path("ledger/export.json", seeing_views.ledger_json, name="ledger_json"),
    path("", include("generations.office.money_urls")),
    path("people/", people_views.everybody, name="people"),
    path("people/invite/", invitation_views.invite, name="invite"),
    path("people/invitation/<int:pk>/revoke/", invitation_views.revoke, name="revoke_invitation"),
    path("people/program/", people_views.new_program, name="new_program"),
    path("people/<int:pk>/", people_views.person, name="person"),
    path("people/<int:pk>/role/", people_views.set_role, name="set_role"),
    path("people/<int:pk>/weight/", people_views.set_weight, name="set_weight"),
    path("people/<int:pk>/name/", people_views.rename_program, name="rename_program"),
    path("people/<int:pk>/remove/", people_views.remove, name="remove_member"),
    path("settings/", team_views.settings, name="settings"),
    path("leave/", team_views.leave, name="leave"),
    path("changes/", changes_views.of_team, name="changes"),
    path("changes/export.csv", changes_views.of_team_csv, name="changes_csv"),
]
