"""The operators' pages of users: found, added, deactivated, made operators, each in the log."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generations.office.audit_log import sentences as audit_log_sentences
from generations.office.members import service as members_service
from generations.office.models import AuditEntry
from generations.office.users import query as users_query
from generations.teams.models import User
from tests.conftest import PASSWORD
from tests.pages.csp import csp_violations


@pytest.fixture
def office(client, make_member):
    olga = make_member("olga").user
    olga.is_staff = olga.is_superuser = True
    olga.save()
    client.force_login(olga)
    return client


def press(office, user, act):
    answer = office.post(reverse("operate:user_act", args=[user.pk, act]), follow=True)
    user.refresh_from_db()
    return answer


def newest():
    return audit_log_sentences.sentence(AuditEntry.objects.latest("pk"))


def test_users_are_found_by_address_or_name_and_shown_with_when_they_were_seen(office, make_member):
    mei, ada = make_member("mei"), make_member("ada")
    mei.user.memberships.update(seen_at=timezone.now() - timedelta(days=3))
    User.objects.filter(pk=mei.user_id).update(last_login=timezone.now() - timedelta(days=5), name="Mei Tan")
    User.objects.filter(pk=ada.user_id).update(last_login=None)
    [row], has_more = users_query.user_page("TAN studio")
    assert (row.user, row.teams, has_more) == (mei.user, 1, False)
    page = office.get(reverse("operate:users"), {"q": "tan"}).text
    assert "3 days ago" in page
    assert "ada@" not in page
    assert "never" in office.get(reverse("operate:users"), {"q": "ada"}).text
    assert "Nobody has these words" in office.get(reverse("operate:users"), {"q": "<x>"}).text
    assert csp_violations(page) == []


def test_a_new_user_sets_a_password_by_a_link_that_is_shown_once(office):
    form = {"email": "New@Example.org", "name": "New One", "is_operator": ""}
    answer = office.post(reverse("operate:new_user"), form)
    user = User.objects.get(email="new@example.org")
    assert (user.name, user.is_staff) == ("New One", False)
    assert "/accounts/password/reset/key/" in answer.text
    assert answer["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert "/accounts/password/reset/key/" not in office.get(reverse("operate:user", args=[user.pk])).text
    assert newest() == "Olga made a link on which new@example.org sets a password"
    again = office.post(reverse("operate:new_user"), form)
    assert (again.status_code, "is an address of another account" in again.text) == (422, True)


def test_who_is_deactivated_is_signed_out_and_comes_back(office, make_member):
    mei = make_member("mei").user
    theirs = Client()
    theirs.post("/accounts/login/", {"login": mei.email, "password": PASSWORD})
    assert UserSession.objects.filter(user=mei).exists()
    assert "is deactivated and signed out everywhere" in press(office, mei, "deactivate").text
    assert not mei.is_active
    assert theirs.get("/accounts/teams/").status_code == 302
    assert newest() == "Olga changed the account of mei@studio.example"
    assert office.post(reverse("operate:user_act", args=[mei.pk, "link"])).status_code == 404
    press(office, mei, "activate")
    assert mei.is_active
    assert theirs.get("/accounts/teams/").status_code == 302  # what was signed in before is not again


def test_an_operator_is_made_and_unmade_but_nobody_demotes_themselves(office, make_member):
    mei = make_member("mei").user
    press(office, mei, "promote")
    assert (mei.is_staff, mei.is_superuser) == (True, True)
    press(office, mei, "demote")
    assert (mei.is_staff, mei.is_superuser) == (False, False)
    olga = User.objects.get(email="olga@studio.example")
    for act in ("demote", "deactivate"):
        assert "This is your own account" in press(office, olga, act).text
        assert (olga.is_staff, olga.is_active) == (True, True)
    assert press(office, mei, "explode").status_code == 404


def test_the_page_of_a_user_names_their_teams(office, make_member):
    mei = make_member("mei")
    other = members_service.create_team("Apia")
    members_service.add_member(user=mei.user, team=other)
    page = office.get(reverse("operate:user", args=[mei.user_id])).text
    assert reverse("operate:team", args=[other.slug]) in page
    assert reverse("operate:team", args=[mei.team.slug]) in page
    assert csp_violations(page) == []


def test_a_page_of_many_users_takes_few_queries(office, make_member, django_assert_max_num_queries):
    for number in range(12):
        make_member(f"person{number}")
    with django_assert_max_num_queries(9):
        office.get(reverse("operate:users"))
