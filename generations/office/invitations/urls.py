"""Doors that are not within a team: an invitation, my teams, a new one."""

from django.urls import path

from generations.office.invitations import join_views
from generations.office.members import team_views

app_name = "people"
urlpatterns = [
    path("join/<slug:token>/", join_views.join, name="join"),
    path("join/<slug:token>/account/", join_views.NewAccount.as_view(), name="join_account"),
    path("teams/new/", team_views.new, name="new_team"),
    path("accounts/teams/", team_views.mine, name="teams"),
]
