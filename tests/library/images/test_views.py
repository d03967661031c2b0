"""The page of one picture: what can be done to it there, and by whom."""

import json
import re

import pytest
from django.urls import reverse

from generations.library.delivery import signed_urls as delivery_signed_urls
from generations.library.images import service as images_service
from generations.library.models import Collection, Favourite, Image, Tag
from generations.library.organise import service as organise_service
from generations.teams.models import Membership, Role, Visibility
from tests.markup import compact

HTMX = {"HX-Request": "true"}


@pytest.fixture
def press(sign_in):
    """Press a button of a picture's page: press(member, "like", image, on=1)."""

    def press(member, verb, image, /, *, by_script=False, **fields):
        address = reverse(f"library:picture_{verb}", args=[member.team.slug, image.pk])
        return sign_in(member).post(address, fields, headers=HTMX if by_script else {})

    return press


@pytest.fixture
def look(sign_in):
    """The page of a picture: look(member, image, q="fox")."""

    def look(member, image, /, **query):
        return sign_in(member).get(reverse("jobs:picture", args=[member.team.slug, image.pk]), query)

    return look


# Favourite, title, visibility ----------------------------------------------------------


@pytest.mark.parametrize("by_script", [False, True])
def test_a_favourite_is_pressed_and_pressed_again(press, look, member, make_image, by_script):
    fox = make_image()
    answer = press(member, "like", fox, on=1, by_script=by_script)
    assert answer.status_code == (200 if by_script else 302)
    assert Favourite.objects.filter(member=member, image=fox).exists()
    shown = answer if by_script else look(member, fox)
    assert 'aria-pressed="true" aria-label="Favourite"' in compact(shown.content.decode())
    press(member, "like", fox, on=0)
    assert not Favourite.objects.exists()


def test_a_title_is_given_by_the_owner_and_by_curators_alone(press, member, teammate, curator, make_image):
    fox = make_image()
    assert (
        'value="A &lt;b&gt;fox"'
        in press(member, "title", fox, title=" A <b>fox\0", by_script=True).content.decode()
    )
    assert press(teammate, "title", fox, title="Mine").status_code == 403
    assert press(curator, "title", fox, title="Better").status_code == 302
    fox.refresh_from_db()
    assert fox.title == "Better"


def test_a_title_that_is_too_long_is_refused_and_kept_in_its_field(press, look, member, make_image):
    fox = make_image()
    answer = press(member, "title", fox, title="x" * 201, by_script=True)
    assert answer.status_code == 422
    assert "A title has at most 200 letters." in answer.content.decode()
    assert "x" * 201 in answer.content.decode()
    assert press(member, "title", fox, title="x" * 201).status_code == 302
    assert not Image.objects.exclude(title="").exists()


def test_only_the_one_whose_picture_it_is_decides_who_sees_it(
    press, look, member, teammate, curator, make_image
):
    fox = make_image()
    for other in (teammate, curator):
        assert press(other, "visibility", fox, visibility="private").status_code == 403
        assert 'name="visibility"' not in look(other, fox).content.decode()
    assert press(member, "visibility", fox, visibility="everybody", by_script=True).status_code == 422
    answer = press(member, "visibility", fox, visibility="private", by_script=True)
    assert "You alone see it." in answer.content.decode()
    assert look(teammate, fox).status_code == 404
    press(member, "visibility", fox, visibility="team")
    assert look(teammate, fox).status_code == 200


# Tags and collections ------------------------------------------------------------------


def test_a_tag_is_added_and_taken_off(press, look, member, make_image):
    fox = make_image()
    part = press(member, "tag", fox, name="Hero & <i>", by_script=True).content.decode()
    assert "Hero &amp; &lt;i&gt;</a>" in part
    assert "?tag=Hero%20%26%20%3Ci%3E" in part
    assert press(member, "tag", fox, name="dawn").status_code == 302
    assert {tag.name for tag in Tag.objects.filter(image_tags__image=fox)} == {"Hero & <i>", "dawn"}
    assert "Hero" not in press(member, "untag", fox, name="hero & <i>", by_script=True).content.decode()
    assert "Remove the tag dawn" in look(member, fox).content.decode()


def test_a_tag_that_cannot_be_is_refused_with_a_sentence(press, member, make_image, monkeypatch):
    fox = make_image()
    answer = press(member, "tag", fox, name="a, b", by_script=True)
    assert answer.status_code == 422
    assert "without commas" in answer.content.decode()
    assert 'value="a, b"' in answer.content.decode()
    monkeypatch.setattr(organise_service, "MAX_TAGS", 1)
    press(member, "tag", fox, name="one")
    full = press(member, "tag", fox, name="two", by_script=True)
    assert (full.status_code, "at most 1 tags" in full.content.decode()) == (422, True)
    assert press(member, "tag", fox, name="ONE", by_script=True).status_code == 200


def test_a_picture_is_put_into_collections_and_taken_out(press, look, member, teammate, make_image):
    fox = make_image()
    shared = organise_service.create_collection(member=teammate, name="Spring", visibility=Visibility.TEAM)
    hidden = organise_service.create_collection(member=teammate, name="Secret", visibility=Visibility.PRIVATE)
    part = press(member, "collect", fox, collection=shared.pk, by_script=True).content.decode()
    assert "Take it out of Spring" in part
    assert 'aria-pressed="true"' in part  # in the menu too
    assert press(member, "collect", fox, collection=hidden.pk).status_code == 404
    assert press(member, "collect", fox, collection="nonsense").status_code == 404
    organise_service.add_to_collection(member=teammate, images=[fox.pk], collection=hidden.pk)
    assert "Secret" not in look(member, fox).content.decode()
    assert "Secret" in look(teammate, fox).content.decode()
    press(member, "take_out", fox, collection=shared.pk)
    assert not shared.collection_images.exists()


def test_a_new_collection_is_made_with_the_picture_in_it(press, member, teammate, make_image):
    fox = make_image()
    assert press(member, "collect", fox, name="Landing heroes").status_code == 302
    assert press(member, "collect", fox, name="Mine", private=1, by_script=True).status_code == 200
    assert dict(Collection.objects.values_list("name", "visibility")) == {
        "Landing heroes": "team",
        "Mine": "private",
    }
    assert all(each.collection_images.filter(image=fox).exists() for each in Collection.objects.all())
    assert press(member, "collect", fox, name="  ", by_script=True).status_code == 422


def test_collections_are_found_by_a_part_of_their_name(sign_in, member, stranger, make_image):
    fox = make_image()
    for name in ("Frühling", "Autumn", "Early FRÜH"):
        organise_service.create_collection(member=member, name=name, visibility=Visibility.TEAM)
    organise_service.create_collection(member=stranger, name="früher", visibility=Visibility.TEAM)
    address = reverse("library:picture_collections", args=[member.team.slug, fox.pk])
    found = compact(sign_in(member).get(address, {"find": "früh"}).content.decode())
    assert re.findall(r"</svg><span>([^<]*)</span>", found) == ["Early FRÜH", "Frühling"]
    nothing = sign_in(member).get(address, {"find": "winter\0"}).content.decode()
    assert "No collection has this in its name." in nothing


# Trash -----------------------------------------------------------------------------------


def test_trash_goes_on_to_the_next_of_the_search_and_can_be_undone(press, sign_in, member, make_image):
    oldest, middle, newest = (make_image(prompt=f"fox {n}") for n in range(3))
    make_image(prompt="a hen")
    answer = press(member, "trash", newest, search="q=fox")
    assert answer["Location"].endswith(f"/picture/{middle.pk}/?q=fox")
    browser = sign_in(member)
    trash = reverse("library:picture_trash", args=[member.team.slug, middle.pk])
    page = browser.post(trash, {"search": "q=fox"}, follow=True).content.decode()
    undo = re.search(r'action="([^"]*restore[^"]*)"', page)[1]
    assert "Moved to the trash." in page
    assert str(oldest.pk) in page
    assert browser.post(undo)["Location"].endswith(f"/picture/{middle.pk}/?q=fox")
    assert set(Image.objects.filter(trashed_at=None)) >= {oldest, middle}
    assert browser.post(undo).status_code == 404


def test_after_the_last_of_a_search_comes_the_one_before_it_and_then_the_library(press, member, make_image):
    first, last = make_image(prompt="fox one"), make_image(prompt="fox two")
    assert str(last.pk) in press(member, "trash", first, search="q=fox")["Location"]
    assert press(member, "trash", last, search="q=fox")["Location"].endswith("/library/?q=fox")


def test_a_script_hears_where_to_go_on(press, member, make_image):
    first, last = make_image(), make_image()
    answer = press(member, "trash", last, by_script=True)
    assert answer.status_code == 204
    assert json.loads(answer["HX-Trigger"])["portal:gone"]["value"].endswith(f"/picture/{first.pk}/")


def test_what_belongs_to_somebody_else_is_not_thrown_away(press, look, member, teammate, curator, make_image):
    fox = make_image()
    assert press(teammate, "trash", fox).status_code == 403
    assert "data-trash" not in look(teammate, fox).content.decode()
    assert press(curator, "trash", fox).status_code == 302
    assert press(teammate, "restore", fox).status_code == 404
    assert press(member, "restore", fox).status_code == 302


VERBS = ["like", "title", "visibility", "tag", "untag", "collect", "take_out", "trash", "restore"]


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_is_done_to_a_picture_that_one_does_not_see(
    press, member, teammate, stranger, make_image, verb
):
    private, trashed = make_image(visibility="private"), make_image()
    images_service.trash(member=member, images=[trashed.pk])
    fields = {"name": "x", "title": "x", "visibility": "team", "on": 1}
    for image in (private, trashed):
        assert press(teammate, verb, image, **fields).status_code == 404
        assert press(stranger, verb, image, **fields).status_code == 404
    assert Image.objects.filter(title="", visibility="private", trashed_at=None).get() == private


@pytest.mark.parametrize("verb", VERBS)
def test_a_page_that_only_tells_changes_nothing(sign_in, member, make_image, verb):
    address = reverse(f"library:picture_{verb}", args=[member.team.slug, make_image().pk])
    assert sign_in(member).get(address).status_code == 405


# Viewers ----------------------------------------------------------------------------------


@pytest.fixture
def demoted(member, make_image):
    """Mei, who made a private picture and is a viewer by now."""
    private = make_image(visibility="private")
    Membership.objects.filter(pk=member.pk).update(role=Role.VIEWER)
    return private


def test_a_viewer_sees_team_images_alone_by_every_address(sign_in, member, demoted):
    browser, team = sign_in(member), member.team.slug
    for name in ("jobs:picture", "library:original", "library:download"):
        assert browser.get(reverse(name, args=[team, demoted.pk])).status_code == 404, name
    assert browser.get(delivery_signed_urls.thumbnail_url(demoted, "640", member)).status_code == 404
    assert browser.get(reverse("jobs:generation", args=[team, demoted.generation])).status_code == 404
    like = reverse("library:picture_like", args=[team, demoted.pk])
    assert browser.post(like, {"on": 1}).status_code == 404
    create = browser.get(reverse("jobs:create", args=[team]), {"image": str(demoted.pk)})
    assert create["Location"] == reverse("library:grid", args=[team])
    assert str(demoted.pk) not in browser.get(create["Location"]).content.decode()


def test_a_viewer_likes_and_is_offered_nothing_else(press, look, member, viewer, make_image):
    fox = make_image()
    page = look(viewer, fox).content.decode()
    assert 'aria-label="Favourite"' in page
    for words in ("Add to a collection", "Add a tag", "Trash", 'name="visibility"', "Use all", "Share"):
        assert words not in page
    assert press(viewer, "like", fox, on=1).status_code == 302
    for verb in ("title", "visibility", "tag", "untag", "collect", "take_out", "trash", "restore"):
        assert press(viewer, verb, fox, name="x").status_code == 403
