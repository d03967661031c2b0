"""Private images of people who left: visible to the team's owners, and to nobody else."""

import pytest
from django.urls import reverse

from generations.library.delivery import signed_urls as delivery_signed_urls
from generations.office.members import service as members_service
from generations.teams.models import Role

PAGES = ("library:original", "library:download", "jobs:picture")


@pytest.fixture
def owner(make_member):
    return make_member("ana", role=Role.OWNER)


@pytest.fixture
def private(member, make_image):
    return make_image(member, visibility="private")


def answers(client, image, asking):
    """The statuses of its pages, its bytes and a thumbnail that has to be made."""
    pages = [reverse(name, args=[asking.team.slug, image.pk]) for name in PAGES]
    thumbnail = delivery_signed_urls.thumbnail_url(image, "small", asking, client.session.session_key)
    return [client.get(page).status_code for page in (*pages, thumbnail)]


def test_owners_see_it_once_its_owner_left(private, member, owner, teammate, sign_in):
    assert answers(sign_in(owner), private, owner) == [404] * 4
    members_service.end_membership(member=member)
    administrator = members_service.add_member(user=member.user, team=owner.team)
    members_service.end_membership(member=administrator)
    assert answers(sign_in(owner), private, owner) == [200] * 4
    assert str(private.pk) in sign_in(owner).get(f"/t/{owner.team.slug}/library/").text
    assert answers(sign_in(teammate), private, teammate)[:3] == [404] * 3
    assert str(private.pk) not in sign_in(teammate).get(f"/t/{owner.team.slug}/library/").text


def test_a_private_image_is_private_again_when_its_owner_comes_back(private, member, owner, sign_in):
    members_service.end_membership(member=member)
    members_service.add_member(user=member.user, team=owner.team)
    assert answers(sign_in(owner), private, owner)[:3] == [404] * 3
    assert answers(sign_in(member), private, member) == [200] * 4


def test_an_owner_of_another_team_never_sees_it(private, member, stranger, sign_in):
    members_service.end_membership(member=member)
    client = sign_in(stranger)
    for name in PAGES:
        for team in (member.team, stranger.team):
            assert client.get(reverse(name, args=[team.slug, private.pk])).status_code == 404
