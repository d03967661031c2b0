"""A person's profile, the time zone of their pages, and the bar with their teams."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.test import Client

from generations.jobs.models import Batch
from generations.office.members import service as members_service
from generations.office.personal_data import export as personal_data_export
from generations.teams import membership
from generations.teams.models import Membership, Role, Team, User
from tests.conftest import PASSWORD
from tests.markup import compact

PAGE = "/accounts/profile/"
CHOSEN = {
    "name": " Mei \n Lin ",
    "language": "",
    "time_zone": "Asia/Tokyo",
    "model": "ultra",
    "count": "4",
    "visibility": "private",
    "density": "dense",
}


@pytest.fixture
def mei(member, client) -> Client:
    """Mei, signed in."""
    client.force_login(member.user)
    return client


@pytest.fixture
def address(team):
    """Where a page of Studio North is."""
    return lambda path: f"/t/{team.slug}/{path}"


def save(browser, **values):
    answer = browser.post(PAGE, CHOSEN | values)
    assert answer.status_code == 302, answer.content.decode()
    return answer


def text(browser, path):
    return compact(browser.get(path).content.decode())


def test_what_is_chosen_is_saved_and_shown(mei, member, upstream):
    save(mei)
    page = text(mei, PAGE)
    assert 'value="Mei Lin"' in page
    assert '<option value="Asia/Tokyo" selected>' in page
    assert '<option value="ultra" selected>' in page
    assert '<option value="4" selected>' in page
    assert 'name="visibility" value="private" checked' in page
    assert 'name="density" value="dense" checked' in page
    assert 'name="shortcuts" value="on" checked' not in page
    assert User.objects.get(pk=member.user_id).name == "Mei Lin"


def test_who_chose_nothing_is_offered_what_holds_without(mei, upstream):
    page = text(mei, PAGE)
    assert re.search(r'<option value="" selected>\s*As in the team \(UTC\)', page)
    assert re.search(r'<option value="" selected>\s*The one I used last', page)
    assert 'name="density" value="roomy" checked' in page
    assert 'name="shortcuts" value="on" checked' in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_zone": "Moon/Base"},
        {"model": "gone-1"},
        {"count": "11"},
        {"visibility": "everybody"},
        {"density": "x"},
        {"language": "xx"},
        {"name": "n" * 121},
    ],
)
def test_what_the_form_does_not_offer_is_refused(mei, member, upstream, wrong):
    assert mei.post(PAGE, CHOSEN | wrong).status_code == 422
    user = User.objects.get(pk=member.user_id)
    assert (user.name, user.time_zone, user.preferences) == ("Mei", "", {})


def test_create_begins_with_the_defaults_and_keeps_other_choices(mei, member, upstream, address):
    member.user.preferences = {"create": {"models": ["core"], "output_format": "webp"}, "notices_off": {}}
    member.user.save()
    save(mei)
    page = text(mei, address("create/"))
    assert re.search(r'name="model" value="ultra" checked', page)
    count = re.search(r'<input[^>]*name="count"[^>]*>', page)
    assert count
    assert 'value="4"' in count[0]
    assert re.search(r'name="visibility" value="private" checked', page)
    preferences = User.objects.get(pk=member.user_id).preferences
    assert preferences["create"] == {"models": ["core"], "output_format": "webp"}
    assert preferences["notices_off"] == {}


def test_the_language_is_offered_where_there_is_more_than_one(mei, settings, member):
    assert 'name="language"' not in text(mei, PAGE)
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    assert '<option value="de">' in text(mei, PAGE)
    assert save(mei, language="de", model="").cookies["django_language"].value == "de"
    elsewhere = Client()
    answer = elsewhere.post("/accounts/login/", {"login": member.user.email, "password": PASSWORD})
    assert answer.cookies["django_language"].value == "de"
    assert save(mei, language="", model="").cookies["django_language"]["max-age"] == 0


def test_pages_know_the_size_of_pictures_and_that_shortcuts_are_off(mei, address, upstream):
    save(mei)
    page = text(mei, address("library/"))
    assert 'data-density="dense"' in page
    assert 'data-shortcuts="off"' in page
    save(mei, shortcuts="on", density="roomy")
    page = text(mei, address("library/"))
    assert 'data-density="roomy"' in page
    assert "data-shortcuts" not in page


def test_the_dialog_of_keys_switches_what_the_profile_switches(mei, member, address, upstream):
    save(mei, density="dense", shortcuts="on")
    assert mei.post(f"{PAGE}shortcuts/", {"on": "0"}).status_code == 204
    assert 'data-shortcuts="off"' in text(mei, address("library/"))
    assert 'name="shortcuts" value="on" checked' not in text(mei, PAGE)
    assert 'name="density" value="dense" checked' in text(mei, PAGE)
    mei.post(f"{PAGE}shortcuts/", {"on": "1"})
    assert "data-shortcuts" not in text(mei, address("library/"))
    assert 'name="shortcuts" value="on" checked' in text(mei, PAGE)


def test_preferences_that_are_no_dictionaries_are_ignored(mei, member, address, upstream):
    User.objects.update(preferences={"display": "x", "defaults": ["y"]})
    assert mei.get(PAGE).status_code == 200
    assert mei.get(address("create/")).status_code == 200
    assert mei.post(f"{PAGE}shortcuts/", {"on": "0"}).status_code == 204


def test_the_old_address_of_the_librarys_settings_leads_to_the_profile(mei):
    assert mei.get("/accounts/library/").url == PAGE


def test_the_profile_is_exported_and_goes_with_the_account(mei, member, upstream):
    save(mei)
    account = personal_data_export._account(User.objects.get(pk=member.user_id))
    assert (account["time_zone"], account["language"]) == ("Asia/Tokyo", "")
    mei.post("/accounts/delete/", {"password": PASSWORD, "sure": "on"})
    user = User.objects.get(pk=member.user_id)
    assert (user.is_active, user.time_zone, user.preferences) == (False, "", {})


# The time zone

NIGHT = datetime(2026, 3, 5, 23, 30, tzinfo=UTC)  # the 6th in Tokyo, the 5th in Berlin


@pytest.fixture
def in_two_zones(mei, member, team, upstream) -> Client:
    Team.objects.update(time_zone="Europe/Berlin")
    User.objects.update(time_zone="Asia/Tokyo")
    return mei


def test_a_member_has_their_own_time_zone_or_that_of_the_team(member, team):
    team.time_zone = "Europe/Berlin"
    member.team = team
    assert str(member.tzinfo) == "Europe/Berlin"
    member.user.time_zone = "Asia/Tokyo"
    assert str(member.tzinfo) == "Asia/Tokyo"
    assert str(members_service.create_program(team=team, name="nightly").tzinfo) == "Europe/Berlin"


def test_create_shows_the_days_of_the_member(in_two_zones, submit, address):
    submit()
    Batch.objects.update(created_at=NIGHT)
    assert "Friday, 6 Mar" in text(in_two_zones, address("create/"))


def test_times_on_pages_of_the_account_are_the_members(in_two_zones, member):
    Membership.objects.update(joined_at=NIGHT)
    assert "since 6 Mar 2026" in text(in_two_zones, "/accounts/teams/")


def test_days_of_the_ledger_are_the_teams_and_the_page_says_so(in_two_zones, address, member):
    Membership.objects.update(role=Role.OWNER)
    for path in ("credits/", "team/", "team/ledger/", "team/prices/", "team/changes/"):
        page = text(in_two_zones, address(path))
        assert "Days and times on this page are the team’s: Europe/Berlin." in page, path
    User.objects.update(time_zone="")
    assert "Days and times on this page" not in text(in_two_zones, address("credits/"))


# The bar


@pytest.fixture
def second(member) -> Membership:
    """Mei owns another team."""
    other = members_service.create_team("Studio South")
    return members_service.add_member(user=member.user, team=other, role=Role.OWNER, granted=0)


def links(page):
    switch = re.search(r'<details class="menu team-switch">.*?</details>', page)
    assert switch
    return re.findall(r'<a [^>]*href="([^"]+)"', switch[0])


def test_the_bar_names_the_team_without_a_switch_for_who_is_in_one(mei, address):
    page = text(mei, address("library/"))
    assert '<span class="team-switch"><span class="team-name">Studio North</span></span>' in page
    assert "Switch team" not in page


def test_the_switch_keeps_the_page(mei, address, second):
    there = f"/t/{second.team.slug}"
    assert links(text(mei, address("credits/"))) == [address("credits/"), f"{there}/credits/"]
    assert links(text(mei, address("library/?q=fox"))) == [address("library/"), f"{there}/library/"]


def test_the_switch_leads_to_the_library_where_the_page_is_not(mei, address, member, second):
    Membership.objects.filter(pk=member.pk).update(role=Role.OWNER)
    Membership.objects.filter(pk=second.pk).update(role=Role.MEMBER)  # who does not see the office
    there = f"/t/{second.team.slug}/library/"
    assert links(text(mei, address("team/people/"))) == [address("team/people/"), there]
    assert links(text(mei, address(f"team/people/{member.pk}/"))) == [address("library/"), there]


def test_pages_of_the_account_have_the_team_visited_last_in_the_bar(mei, second, address):
    mei.get(f"/t/{second.team.slug}/library/")
    page = text(mei, PAGE)
    assert '<span class="team-name">Studio South</span>' in page
    assert f'href="/t/{second.team.slug}/create/"' in page


# Without a team


def test_who_was_removed_is_told_so_and_can_sign_out_on_a_phone(mei, member):
    membership.leave(member)
    page = text(mei, "/")
    assert "You are no longer in Studio North" in page
    assert "yet" not in page
    tabs = re.search(r'<nav class="tabs".*?</nav>', page)
    assert tabs
    assert 'popovertarget="account-menu"' in tabs[0]
    menu = re.search(r'<div class="account-menu".*?</form></div>', page)
    assert menu
    assert 'action="/accounts/logout/"' in menu[0]
    assert "Studio North" not in text(mei, "/accounts/teams/")
    assert " yet" not in text(mei, "/accounts/teams/")


def test_what_a_page_that_is_not_there_offers_on_a_phone(mei, member, settings):
    membership.leave(member)
    assert 'popovertarget="account-menu"' in text(mei, f"/t/{member.team.slug}/library/")


def test_nobody_who_is_signed_out_has_tabs(client, db):
    assert 'class="tabs"' not in text(client, "/accounts/login/")
