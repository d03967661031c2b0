"""Who gets through which door."""

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from generations.office.members import service as members_service
from generations.teams import membership
from generations.teams import users as teams_users
from generations.teams.models import Membership, Role, User
from generations.teams.permissions import PERMISSIONS, may, member_required

PASSWORD = "correct horse battery"


@pytest.fixture
def team(db):
    return members_service.create_team("Studio North")


@pytest.fixture
def member(team):
    return members_service.add_member(
        user=teams_users.create(email="mei@example.org", password=PASSWORD), team=team
    )


def credits_page(team):
    return f"/t/{team.slug}/credits/"


def ask(member, permission, **headers):
    """Ask a page that needs the permission, as a plain view."""

    @member_required(may=permission)
    def page(request, member):
        return HttpResponse(member.team.name)

    request = RequestFactory(headers=headers).get("/t/x/page/")
    request.user = member.user
    return page(request, team=member.team.slug)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", PERMISSIONS)
def test_the_table_decides_what_a_role_may(member, role, permission):
    Membership.objects.filter(pk=member.pk).update(role=role)
    member.refresh_from_db()
    if may(member, permission):
        assert ask(member, permission).status_code == 200
    else:
        with pytest.raises(Exception, match="role"):
            ask(member, permission)


def test_a_viewer_only_looks(member):
    member.role = Role.VIEWER
    assert [permission for permission in PERMISSIONS if may(member, permission)] == ["see"]


def test_a_team_that_is_not_mine_does_not_exist(client, member):
    other = members_service.create_team("Studio South")
    client.force_login(member.user)
    assert client.get(credits_page(other)).status_code == 404
    assert client.get("/t/nowhere/credits/").status_code == 404


def test_who_left_the_team_is_out_at_once(client, member):
    client.force_login(member.user)
    members_service.end_membership(member=member)
    assert client.get(credits_page(member.team)).status_code == 404


def test_a_closed_team_has_no_pages(client, member):
    client.force_login(member.user)
    member.team.deactivated_at = timezone.now()
    member.team.save()
    assert client.get(credits_page(member.team)).status_code == 404


def test_a_deactivated_person_is_signed_out_at_once(client, member):
    client.force_login(member.user)
    User.objects.update(is_active=False)
    assert client.get(credits_page(member.team)).status_code == 302


def test_the_sign_in_leads_back_to_the_page(client, member):
    answer = client.get(credits_page(member.team) + "?before=3")
    assert answer.url == "/accounts/login/?next=%2Ft%2Fstudio-north%2Fcredits%2F%3Fbefore%3D3"
    form = {"login": "Mei@Example.org", "password": PASSWORD}
    assert client.post(answer.url, form).url == "/t/studio-north/credits/?before=3"


def test_a_part_sends_the_whole_page_to_the_sign_in(client, member):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/t/studio-north/create/?model=ultra"}
    answer = client.get(credits_page(member.team), headers=headers)
    assert answer.headers["HX-Redirect"].endswith("next=%2Ft%2Fstudio-north%2Fcreate%2F%3Fmodel%3Dultra")


@pytest.mark.parametrize("elsewhere", ["https://evil.example/t/", "//evil.example", "javascript:alert(1)"])
def test_the_sign_in_never_leads_elsewhere(client, member, elsewhere):
    answer = client.get(
        credits_page(member.team), headers={"HX-Request": "true", "HX-Current-URL": elsewhere}
    )
    assert answer.headers["HX-Redirect"].endswith("?next=%2F")


def test_the_front_door_leads_to_the_team_i_was_in_last(client, member):
    second = members_service.add_member(user=member.user, team=members_service.create_team("Second"))
    client.force_login(member.user)
    for here in (second, member):
        Membership.objects.update(seen_at=None)
        client.get(credits_page(here.team))
        assert client.get("/").url == reverse("jobs:create", args=[here.team.slug])


def test_a_visit_is_written_down_once_a_minute(client, member, django_assert_num_queries):
    client.force_login(member.user)
    client.get(credits_page(member.team))
    seen = Membership.objects.get().seen_at
    client.get(credits_page(member.team))
    assert Membership.objects.get().seen_at == seen is not None


def test_the_front_door_asks_strangers_to_sign_in(client, db):
    assert client.get("/").url == "/accounts/login/?next=%2F"


def test_who_has_no_team_is_told_so(client, db):
    client.force_login(teams_users.create(email="new@example.org"))
    assert "teams/no_team.html" in [template.name for template in client.get("/").templates]


def test_a_form_that_was_open_too_long_says_so(member):
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/accounts/login/", {"login": "mei@example.org"}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Refresh"]) == (403, "true")
    assert "teams/page_open_too_long.html" in [template.name for template in answer.templates]


def test_the_portal_says_that_it_is_alive(client):
    assert client.get("/healthz").content == b"ok\n"


def test_two_teams_of_one_name_have_two_addresses(db):
    names = ["Studio", "Studio", "studio!", "工作室", "x" * 100]
    slugs = [membership.create_team(name).slug for name in names]
    assert slugs == ["studio", "studio-2", "studio-3", "team", "x" * 55]


def test_who_comes_back_has_the_old_membership(member):
    members_service.end_membership(member=member)
    again = members_service.add_member(user=member.user, team=member.team, role=Role.VIEWER)
    assert (again.pk, again.role, again.ended_at) == (member.pk, Role.VIEWER, None)
    with pytest.raises(membership.AlreadyMember):
        members_service.add_member(user=member.user, team=member.team)


def test_a_crowd_of_attempts_does_not_wash_away_what_was_counted(db):
    cache.set_many({f"attempts-{number}": 1 for number in range(400)})
    assert len(cache.get_many([f"attempts-{number}" for number in range(400)])) == 400
