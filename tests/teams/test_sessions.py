"""Where a person is signed in, and signing out there."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth import get_user
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generations.jobs.live import connections
from generations.office.members import service as members_service
from generations.teams import user_agent
from generations.teams import users as teams_users
from generations.teams.sessions import service as sessions_service

PASSWORD = "correct horse battery"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)
PAGE = "/accounts/sessions/"


@pytest.fixture(autouse=True)
def _nothing_written_yet():
    sessions_service.LAST_WRITTEN.clear()


@pytest.fixture
def mei(db):
    user = teams_users.create(email="mei@example.org", password=PASSWORD, name="Mei")
    members_service.add_member(user=user, team=members_service.create_team("Studio"))
    return user


def at(user, agent, address="192.0.2.7"):
    """A browser that signed in by the form."""
    client = Client(headers={"User-Agent": agent}, REMOTE_ADDR=address)
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert get_user(client).is_authenticated
    return client


def key(client):
    return client.session.session_key


def test_a_person_sees_where_they_are_signed_in(mei):
    here, _there = at(mei, FIREFOX), at(mei, IPHONE, "2001:db8::7")
    page = here.get(PAGE).text
    for words in ("Firefox on Linux", "192.0.2.7", "Safari on iPhone", "2001:db8::7", "here"):
        assert words in page
    assert page.index("Firefox on Linux") < page.index("Safari on iPhone")


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (IPHONE, "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit Chrome/140 Safari/537 Edg/140", "Edge on Windows"),
        ("curl/8", "curl/8"),
        ("", "Unknown browser"),
        ("<script>alert(1)</script>" * 9, ("<script>alert(1)</script>" * 9)[:60]),
    ],
)
def test_a_browser_is_called_what_its_person_calls_it(agent, name):
    assert user_agent.describe(agent) == name


def test_what_a_browser_says_of_itself_is_only_text(mei):
    page = at(mei, "<script>alert(1)</script>").get(PAGE).text
    assert "<script>alert(1)" not in page


def test_one_is_ended_and_the_others_stay(mei):
    here, phone, tablet = (at(mei, agent) for agent in (FIREFOX, IPHONE, "iPad Safari/1"))
    [place] = [
        place for place in sessions_service.list_sessions(mei, this=key(here)) if "iPhone" in place.browser
    ]
    assert here.post(f"{PAGE}{place.pk}/end/", follow=True).status_code == 200
    assert not get_user(phone).is_authenticated
    assert get_user(tablet).is_authenticated
    assert get_user(here).is_authenticated
    assert "had ended" in here.post(f"{PAGE}{place.pk}/end/", follow=True).text


def test_all_others_are_ended_at_once(mei):
    here, phone, tablet = (at(mei, agent) for agent in (FIREFOX, IPHONE, "iPad Safari/1"))
    assert "2 places" in here.post(f"{PAGE}others/end/", follow=True).text
    assert [get_user(client).is_authenticated for client in (here, phone, tablet)] == [True, False, False]


def test_nobody_ends_somebody_elses_session(mei):
    eve = teams_users.create(email="eve@example.org", password=PASSWORD)
    mine, theirs = at(mei, FIREFOX), at(eve, IPHONE)
    [place] = sessions_service.list_sessions(mei, this=None)
    theirs.post(f"{PAGE}{place.pk}/end/")
    theirs.post(f"{PAGE}others/end/")
    assert get_user(mine).is_authenticated
    assert "Firefox" not in theirs.get(PAGE).text


def test_signed_out_there_is_nothing_to_see(client, db):
    for send, path in (
        (client.get, PAGE),
        (client.post, f"{PAGE}1/end/"),
        (client.post, f"{PAGE}others/end/"),
    ):
        assert send(path).url.startswith("/accounts/login/")
    assert client.get(f"{PAGE}1/end/").status_code == 405


@pytest.mark.django_db(transaction=True)
def test_an_open_page_of_an_ended_session_is_closed(mei):
    here, phone = at(mei, FIREFOX), at(mei, IPHONE)
    page = connections.sign_in(f"sessionid={key(phone)}", "studio")
    assert connections.still_valid([page]) == {page}
    sessions_service.end_others(mei, this=key(here))
    assert connections.still_valid([page]) == set()


def test_after_a_change_of_password_only_this_place_is_left(mei):
    here, phone = at(mei, FIREFOX), at(mei, IPHONE)
    form = {
        "oldpassword": PASSWORD,
        "password1": "another horse battery",
        "password2": "another horse battery",
    }
    assert here.post("/accounts/password/change/", form).status_code == 302
    assert not get_user(phone).is_authenticated
    mei.refresh_from_db()
    assert [place.is_this for place in sessions_service.list_sessions(mei, this=key(here))] == [True]


def test_a_visit_is_written_once_in_five_minutes(mei):
    here = at(mei, FIREFOX)
    long_ago = timezone.now() - timedelta(days=2)
    UserSession.objects.update(last_seen_at=long_ago)
    here.get("/t/studio/credits/", REMOTE_ADDR="198.51.100.9")
    row = UserSession.objects.get()
    assert row.last_seen_at > timezone.now() - timedelta(minutes=1)
    assert row.ip == "198.51.100.9"
    UserSession.objects.update(last_seen_at=long_ago)
    with CaptureQueriesContext(connection) as queries:
        here.get("/t/studio/credits/")
    assert not any("usersession" in query["sql"] for query in queries)
    assert UserSession.objects.get().last_seen_at == long_ago


def test_a_session_from_before_there_were_lists_is_listed_after_a_visit(mei):
    here = at(mei, FIREFOX)
    UserSession.objects.all().delete()
    here.get("/t/studio/credits/")
    assert "Firefox on Linux" in here.get(PAGE).text


def test_the_page_takes_as_many_queries_for_twenty_as_for_two(mei):
    here = at(mei, FIREFOX)

    def queries():
        with CaptureQueriesContext(connection) as seen:
            here.get(PAGE)
        return len(seen)

    client = Client()
    few = queries()
    for _ in range(20):
        client = Client()
        client.force_login(mei, "allauth.account.auth_backends.AuthenticationBackend")
    assert queries() == few <= 8


def test_who_signs_in_without_end_is_signed_in_in_fifty_places_at_most(mei, monkeypatch):
    monkeypatch.setattr(sessions_service, "MAX_SESSIONS", 5)
    first = at(mei, FIREFOX)
    others = [at(mei, IPHONE) for _ in range(6)]
    here = [get_user(client).is_authenticated for client in (first, *others)]
    assert here == [False] * 2 + [True] * 5
    assert UserSession.objects.filter(user=mei).count() == 5


def test_a_sign_in_costs_no_more_after_hundreds_of_ended_ones(mei):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            at(mei, FIREFOX).logout()
        return len(seen)

    few = queries()
    UserSession.objects.bulk_create(
        UserSession(user=mei, ip="192.0.2.1", session_key=f"gone{number}") for number in range(300)
    )
    assert queries() <= few + 2
