"""Private pictures of people who left: owners see them, and no link shows them."""

import pytest
from django.urls import reverse

from generations.library.models import Image, Share
from generations.library.sharing import listing as sharing_listing
from generations.library.sharing import service as sharing_service
from generations.office.members import service as members_service
from generations.teams.models import Role
from tests.library.conftest import address
from tests.library.share_links import answers, collect, every_address, path_of


@pytest.fixture
def owner(make_member):
    return make_member("ana", role=Role.OWNER)


@pytest.fixture
def private(member, make_image):
    return make_image(member, visibility="private")


def test_a_link_to_a_collection_does_not_begin_to_show_what_owners_inherit(
    visitor, owner, member, teammate, private, make_image, collection
):
    team_picture, own = make_image(teammate), make_image(owner, visibility="private")
    collect(collection, private, team_picture, own)
    share = sharing_service.share_collection(member=owner, collection=collection.pk)
    members_service.end_membership(member=member)
    assert private in Image.objects.visible_to(owner)
    assert {visitor.get(path).status_code for path in every_address(share, private)[1:]} == {404}
    page = visitor.get(path_of(share)).content.decode()
    assert str(private.pk) not in page
    assert "2 pictures" in page
    assert answers(visitor, share, team_picture) == answers(visitor, share, own) == {200}


def test_an_inherited_picture_cannot_be_shared_and_its_page_does_not_offer_it(
    sign_in, owner, member, private, make_image
):
    ordinary = make_image(member)
    members_service.end_membership(member=member)
    browser, share = sign_in(owner), address("share", owner)
    assert browser.get(f"{share}?image={ordinary.pk}").status_code == 200
    assert browser.get(f"{share}?image={private.pk}").status_code == 404
    assert browser.post(share, {"image": private.pk, "expires": "7"}).status_code == 404
    assert not Share.objects.exists()
    pages = {
        image: browser.get(reverse("jobs:picture", args=[owner.team.slug, image.pk])).content.decode()
        for image in (ordinary, private)
    }
    assert f"{share}?image={ordinary.pk}" in pages[ordinary]
    assert f"{share}?image=" not in pages[private]
    assert "Its owner left the team" in pages[private]


def test_a_link_from_before_shows_nothing_inherited(visitor, owner, member, private):
    share = Share.objects.create(team=owner.team, maker=owner, image=private)
    members_service.end_membership(member=member)
    assert answers(visitor, share, private) == {404}
    [row] = sharing_listing.rows(owner, [share])
    assert not row.is_working


def test_the_pages_say_what_owners_inherit(sign_in, owner, member, collection):
    dialog = sign_in(owner).get(f"{address('share', owner)}?collection={collection.pk}").content.decode()
    assert "Private pictures of people who left the team, which owners see, are not shown." in dialog
    assert "which owners see" not in sign_in(member).get(
        f"{address('share', member)}?collection={collection.pk}"
    ).content.decode().replace("\n", " ")
    teams = " ".join(sign_in(member).get("/accounts/teams/").content.decode().split())
    assert "Owners of the team then see your private pictures too." in teams


def test_a_link_of_a_maker_who_became_a_viewer_is_listed_as_not_working(member, make_image):
    image = make_image(member)
    share = sharing_service.share_image(member=member, image=image.pk)
    members_service.set_role(member=member, role=Role.VIEWER)
    share = Share.objects.select_related("maker__team", "maker__user").get(pk=share.pk)
    [row] = sharing_listing.rows(share.maker, [share])
    assert not row.is_working
