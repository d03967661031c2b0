"""Open pages show a notice within 20 seconds: they are told when it is raised or cleared, and ask anyway."""

from __future__ import annotations

import re

import pytest

from generations.core import redis_client
from generations.jobs import events
from generations.office.members import service as members_service
from generations.office.notices import service as notices_service
from generations.providers.base import Unavailable
from generations.teams.models import Role, Team, User
from generations.upstreams import accounts
from sdweb.celery import app
from tests.markup import compact

pytestmark = pytest.mark.django_db(transaction=True)
LONGEST = 20  # seconds
HERE = 'hx-trigger="every 20s, portal:notices"'


@pytest.fixture
def told():
    """Whose pages have been told to ask since then: told() is a set of (user, team)."""
    events.flush()
    redis_client.client().delete(events.STREAM)

    def read():
        events.flush()
        entries = [entry for _key, entry in redis_client.client().xrange(events.STREAM)]
        return {
            (int(entry[b"user"]), int(entry[b"team"])) for entry in entries if entry[b"kind"] == b"notices"
        }

    return read


@pytest.fixture
def olga(make_member):
    """An operator who is in two teams."""
    member = make_member("olga", role=Role.VIEWER)
    User.objects.filter(pk=member.user_id).update(is_staff=True)
    other = members_service.create_team("Studio South")
    return member, members_service.add_member(user=member.user, team=other, role=Role.MEMBER)


def test_conditions_are_looked_at_often_enough():
    notices = app.conf.beat_schedule["notices"]
    assert notices["schedule"] + 1 < LONGEST


def test_pages_of_those_concerned_are_told_when_it_is_raised_and_cleared(member, make_member, told):
    make_member("tom", granted=1_000)
    Team.objects.update(low_wallet=500_00, low_pool=0)
    assert notices_service.raise_and_clear() == (1, 0)
    assert told() == {(member.user_id, member.team_id)}
    redis_client.client().delete(events.STREAM)
    assert notices_service.raise_and_clear() == (0, 0)
    assert told() == set()
    Team.objects.update(low_wallet=0)
    assert notices_service.raise_and_clear() == (0, 1)
    assert told() == {(member.user_id, member.team_id)}


def test_an_operator_is_told_in_all_their_teams(member, olga, upstream, told):
    Team.objects.update(low_wallet=0, low_pool=0)
    accounts.pause(upstream, Unavailable("The key is wrong", 401))
    notices_service.raise_and_clear()
    assert told() == {(row.user_id, row.team_id) for row in olga}


@pytest.mark.parametrize(
    "path",
    [
        "/t/{team}/create/",
        "/t/{team}/library/",
        "/t/{team}/credits/",
        "/t/{team}/team/",
        "/t/{team}/tokens/",
        "/accounts/profile/",
        "/accounts/sessions/",
        "/accounts/password/change/",
    ],
)
def test_every_page_has_the_notices_once_and_asks_for_them(client, make_member, upstream, path):
    ana = make_member("ana", role=Role.OWNER)
    client.force_login(ana.user)
    Team.objects.update(low_wallet=500_00, low_pool=0)
    notices_service.raise_and_clear()
    page = compact(client.get(path.format(team=ana.team.slug)).content.decode())
    assert page.count("Your credits are running low") == 1
    assert page.count('id="notices"') == 1
    assert HERE in page
    assert "js/live" in page
    asked = re.search(r'hx-get="(/t/[^"]+/notices/)"', page)
    assert asked
    assert client.get(asked[1]).content.decode().count("Your credits are running low") == 1


def test_nobody_who_is_signed_out_has_notices(client, db):
    assert 'id="notices"' not in client.get("/accounts/login/").content.decode()
