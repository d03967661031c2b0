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
def open_page(sign_in):
    """The page of a picture: open_page(member, image, q="fox")."""

    def open_page(member, image, /, **query):
        return sign_in(member).get(reverse("jobs:picture", args=[member.team.slug, image.pk]), query)

    return open_page


# Favourite, title, visibility ----------------------------------------------------------


@pytest.mark.parametrize("by_script", [False, True])
def test_the_heart_adds_and_removes_a_favourite(press, open_page, member, make_image, by_script):
    fox = make_image()
    answer = press(member, "like", fox, on=1, by_script=by_script)
    assert answer.status_code == (200 if by_script else 302)
    assert Favourite.objects.filter(member=member, image=fox).exists()
    shown = answer if by_script else open_page(member, fox)
    assert 'aria-pressed="true" aria-label="Favourite"' in compact(shown.content.decode())
    press(member, "like", fox, on=0)
    assert not Favourite.objects.exists()


def test_only_the_owner_and_curators_set_a_title(press, member, teammate, curator, make_image):
    fox = make_image()
    assert (
        'value="A &lt;b&gt;fox"'
        in press(member, "title", fox, title=" A <b>fox\0", by_script=True).content.decode()
    )
    assert press(teammate, "title", fox, title="Mine").status_code == 403
    assert press(curator, "title", fox, title="Better").status_code == 302
    fox.refresh_from_db()
    assert fox.title == "Better"


def test_a_too_long_title_is_refused_and_kept_in_its_field(press, open_page, member, make_image):
    fox = make_image()
    answer = press(member, "title", fox, title="x" * 201, by_script=True)
    assert answer.status_code == 422
    assert "A title has at most 200 letters." in answer.content.decode()
    assert "x" * 201 in answer.content.decode()
    assert press(member, "title", fox, title="x" * 201).status_code == 302
    assert not Image.objects.exclude(title="").exists()


def test_only_the_owner_sets_the_visibility(press, open_page, member, teammate, curator, make_image):
    fox = make_image()
    for other in (teammate, curator):
        assert press(other, "visibility", fox, visibility="private").status_code == 403
        assert 'name="visibility"' not in open_page(other, fox).content.decode()
    assert press(member, "visibility", fox, visibility="everybody", by_script=True).status_code == 422
    answer = press(member, "visibility", fox, visibility="private", by_script=True)
    assert "You alone see it." in answer.content.decode()
    assert open_page(teammate, fox).status_code == 404
    press(member, "visibility", fox, visibility="team")
    assert open_page(teammate, fox).status_code == 200


# Tags and collections ------------------------------------------------------------------


def test_a_tag_is_added_and_removed(press, open_page, member, make_image):
    fox = make_image()
    part = press(member, "tag", fox, name="Hero & <i>", by_script=True).content.decode()
    assert "Hero &amp; &lt;i&gt;</a>" in part
    assert "?tag=Hero%20%26%20%3Ci%3E" in part
    assert press(member, "tag", fox, name="dawn").status_code == 302
    assert {tag.name for tag in Tag.objects.filter(image_tags__image=fox)} == {"Hero & <i>", "dawn"}
    assert "Hero" not in press(member, "untag", fox, name="hero & <i>", by_script=True).content.decode()
    assert "Remove the tag dawn" in open_page(member, fox).content.decode()


def test_an_invalid_tag_is_refused_with_a_sentence(press, member, make_image, monkeypatch):
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


def test_an_image_is_added_to_collections_and_removed(press, open_page, member, teammate, make_image):
    fox = make_image()
    shared = organise_service.create_collection(member=teammate, name="Spring", visibility=Visibility.TEAM)
    hidden = organise_service.create_collection(member=teammate, name="Secret", visibility=Visibility.PRIVATE)
    part = press(member, "collect", fox, collection=shared.pk, by_script=True).content.decode()
    assert "Take it out of Spring" in part
    assert 'aria-pressed="true"' in part  # in the menu too
    assert press(member, "collect", fox, collection=hidden.pk).status_code == 404
    assert press(member, "collect", fox, collection="nonsense").status_code == 404
    organise_service.add_to_collection(member=teammate, images=[fox.pk], collection=hidden.pk)
    assert "Secret" not in open_page(member, fox).content.decode()
    assert "Secret" in open_page(teammate, fox).content.decode()
    press(member, "take_out", fox, collection=shared.pk)
    assert not shared.collection_images.exists()


def test_a_new_collection_is_created_with_the_image(press, member, teammate, make_image):
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


def test_trashing_shows_the_next_image_of_the_search_and_can_be_undone(press, sign_in, member, make_image):
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


def test_trashing_the_last_image_of_a_search_shows_the_previous_one_or_the_library(press, member, make_image):
    first, last = make_image(prompt="fox one"), make_image(prompt="fox two")
    assert str(last.pk) in press(member, "trash", first, search="q=fox")["Location"]
    assert press(member, "trash", last, search="q=fox")["Location"].endswith("/library/?q=fox")


def test_a_script_gets_the_address_of_the_next_page(press, member, make_image):
    first, last = make_image(), make_image()
    answer = press(member, "trash", last, by_script=True)
    assert answer.status_code == 204
    assert json.loads(answer["HX-Trigger"])["portal:gone"]["value"].endswith(f"/picture/{first.pk}/")


def test_images_of_others_are_not_trashed(press, open_page, member, teammate, curator, make_image):
    fox = make_image()
    assert press(teammate, "trash", fox).status_code == 403
    assert "data-trash" not in open_page(teammate, fox).content.decode()
    assert press(curator, "trash", fox).status_code == 302
    assert press(teammate, "restore", fox).status_code == 404
    assert press(member, "restore", fox).status_code == 302


VERBS = ["like", "title", "visibility", "tag", "untag", "collect", "take_out", "trash", "restore"]


@pytest.mark.parametrize("verb", VERBS)
def test_an_invisible_image_cannot_be_changed(press, member, teammate, stranger, make_image, verb):
    private, trashed = make_image(visibility="private"), make_image()
    images_service.trash(member=member, images=[trashed.pk])
    fields = {"name": "x", "title": "x", "visibility": "team", "on": 1}
    for image in (private, trashed):
        assert press(teammate, verb, image, **fields).status_code == 404
        assert press(stranger, verb, image, **fields).status_code == 404
    assert Image.objects.filter(title="", visibility="private", trashed_at=None).get() == private


@pytest.mark.parametrize("verb", VERBS)
def test_a_get_request_changes_nothing(sign_in, member, make_image, verb):
    address = reverse(f"library:picture_{verb}", args=[member.team.slug, make_image().pk])
    assert sign_in(member).get(address).status_code == 405


# Viewers ----------------------------------------------------------------------------------


@pytest.fixture
def demoted(member, make_image):
    """Mei, who made a private picture and is a viewer by now."""
    private = make_image(visibility="private")
    Membership.objects.filter(pk=member.pk).update(role=Role.VIEWER)
    return private


def test_a_viewer_sees_only_team_images_at_every_address(sign_in, member, demoted):
    browser, team = sign_in(member), member.team.slug
    for name in ("jobs:picture", "library:original", "library:download"):
        assert browser.get(reverse(name, args=[team, demoted.pk])).status_code == 404, name
    session = browser.session.session_key
    thumbnail = delivery_signed_urls.thumbnail_url(demoted, "small", member, session)
    assert browser.get(thumbnail).status_code == 404
    assert browser.get(reverse("jobs:generation", args=[team, demoted.generation])).status_code == 404
    like = reverse("library:picture_like", args=[team, demoted.pk])
    assert browser.post(like, {"on": 1}).status_code == 404
    create = browser.get(reverse("jobs:create", args=[team]), {"image": str(demoted.pk)})
    assert create["Location"] == reverse("library:grid", args=[team])
    assert str(demoted.pk) not in browser.get(create["Location"]).content.decode()


def test_a_viewer_may_only_add_favourites(press, open_page, member, viewer, make_image):
    fox = make_image()
    page = open_page(viewer, fox).content.decode()
    assert 'aria-label="Favourite"' in page
    for words in ("Add to a collection", "Add a tag", "Trash", 'name="visibility"', "Use all", "Share"):
        assert words not in page
    assert press(viewer, "like", fox, on=1).status_code == 302
    for verb in ("title", "visibility", "tag", "untag", "collect", "take_out", "trash", "restore"):
        assert press(viewer, verb, fox, name="x").status_code == 403
