"""The operators' pages of teams: made for an owner, found, admitted into, closed and opened again."""

from __future__ import annotations

import pytest
from django.urls import reverse

from generations.office.members import service as members_service
from generations.office.models import AuditAction, AuditEntry
from generations.teams.models import Membership, Team
from tests.pages.csp import csp_violations


@pytest.fixture
def office(client, make_member):
    olga = make_member("olga").user
    olga.is_staff = olga.is_superuser = True
    olga.save()
    client.force_login(olga)
    return client


def test_a_team_is_made_for_its_owner(office, make_member):
    mei = make_member("mei").user
    form = {"name": "Apia", "time_zone": "Pacific/Apia", "owner": "Mei@studio.example"}
    answer = office.post(reverse("operate:new_team"), form, follow=True)
    owner = Membership.objects.get(team__name="Apia")
    assert (owner.user, owner.role) == (mei, "owner")
    assert "Apia is made." in answer.text
    assert AuditEntry.objects.filter(
        act=AuditAction.TEAM_MADE, team__name="Apia", actor__name="Olga"
    ).exists()
    wrong = office.post(reverse("operate:new_team"), form | {"owner": "nobody@studio.example"})
    assert "Add the user first" in wrong.text
    assert Team.objects.filter(name="Apia").count() == 1


def test_a_team_is_found_by_a_word_of_its_name(office, team):
    members_service.create_team("Apia")
    page = office.get(reverse("installation:page"), {"q": "api"}).text
    assert reverse("operate:team", args=["apia"]) in page
    assert reverse("operate:team", args=[team.slug]) not in page
    assert "No team is called so." in office.get(reverse("installation:page"), {"q": "zzz"}).text


def test_somebody_is_admitted_with_a_role(office, team, make_member):
    other = members_service.create_team("Apia")
    mei = make_member("mei").user
    address = reverse("operate:admit", args=["apia"])
    page = office.post(address, {"user": mei.email, "role": "administrator"}, follow=True).text
    assert "is in Apia now" in page
    assert Membership.objects.get(team=other, user=mei).role == "administrator"
    again = office.post(address, {"user": mei.email, "role": "viewer"})
    assert (again.status_code, "already a member" in again.text) == (422, True)
    assert office.post(address, {"user": "x", "role": "king"}).status_code == 422


def test_a_team_is_closed_and_opened_again(office, team, make_member):
    page = reverse("operate:team", args=[team.slug])
    shown = office.get(page).text
    assert "Issue credits" in shown
    assert csp_violations(shown) == []
    office.post(reverse("operate:team_act", args=[team.slug, "close"]))
    assert Team.objects.get(pk=team.pk).deactivated_at
    shown = office.get(page).text
    assert "Its pages do not open" in shown
    assert "Issue credits" not in shown
    office.post(reverse("operate:team_act", args=[team.slug, "open"]))
    assert Team.objects.get(pk=team.pk).deactivated_at is None
    assert office.post(reverse("operate:team_act", args=[team.slug, "explode"])).status_code == 404
