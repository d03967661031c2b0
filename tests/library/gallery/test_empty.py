"""A library without pictures: it says why there are none, and offers what the visitor may do."""

import re

import pytest
from django.urls import reverse

from generations.library.organise import service as organise_service
from generations.teams.models import Role, Visibility
from tests.library.conftest import address
from tests.markup import compact

CREATORS = [Role.OWNER, Role.ADMINISTRATOR, Role.MEMBER]


def empty_state(client, member, query=""):
    """The part of the page that replaces the images."""
    page = compact(client.get(f"{address('grid', member)}?{query}").content.decode())
    return re.search(r'<div class="empty no-results".*?(?=<form id="selection")', page, re.DOTALL)[0]


def links(content):
    """The addresses of its buttons by their labels."""
    found = re.findall(r'<a class="button[^"]*" href="([^"]*)">(.*?)</a>', content, re.DOTALL)
    return {re.sub(r"<[^>]*>", "", words).strip(): href.replace("&amp;", "&") for href, words in found}


@pytest.mark.parametrize("role", CREATORS)
def test_members_who_may_generate_are_offered_to_create_or_to_upload_the_first_image(
    sign_in, make_member, role
):
    member = make_member("new", role=role)
    client = sign_in(member)
    offered = links(empty_state(client, member))
    assert offered == {
        "Create the first picture": reverse("jobs:create", args=[member.team.slug]),
        "Upload pictures": reverse("library:upload_images", args=[member.team.slug]),
    }
    assert [client.get(href).status_code for href in offered.values()] == [200, 200]


def test_a_viewer_is_offered_nothing_that_is_refused(sign_in, viewer):
    content = empty_state(sign_in(viewer), viewer)
    assert f"The pictures of {viewer.team.name} appear here once its members make some" in content
    assert links(content) == {}


def test_without_results_for_a_text_there_is_a_link_that_clears_it(sign_in, member, enter):
    enter(prompt="a red fox")
    content = empty_state(sign_in(member), member, "q=hen")
    assert "Nothing found" in content
    assert "Fewer words find more" in content
    assert links(content) == {"Clear the search": address("grid", member)}


def test_without_results_for_filters_there_is_a_link_that_clears_them(sign_in, member, enter):
    enter(prompt="a red fox")
    content = empty_state(sign_in(member), member, "seed=99999")
    assert "Fewer words" not in content
    assert links(content) == {"Clear the filters": address("grid", member)}


def test_without_results_for_text_and_filters_the_filters_or_both_can_be_cleared(sign_in, member, enter):
    enter(prompt="a red fox")
    client = sign_in(member)
    offered = links(empty_state(client, member, "q=fox&seed=99999"))
    assert offered == {
        "Clear the filters": f"{address('grid', member)}?q=fox",
        "Clear the search and the filters": address("grid", member),
    }
    assert client.get(offered["Clear the filters"]).context["days"]


def test_without_favourites_the_heart_is_explained(sign_in, viewer):
    content = empty_state(sign_in(viewer), viewer, "liked=1")
    assert "Press the heart" in content
    assert links(content) == {"All pictures": address("grid", viewer)}


def test_a_member_without_images_is_offered_to_create_one(sign_in, member, viewer, teammate, enter):
    enter(prompt="a red fox")
    offered = links(empty_state(sign_in(teammate), teammate, f"who={teammate.pk}"))
    assert offered.keys() == {"Create a picture", "Upload pictures"}
    offered = links(empty_state(sign_in(viewer), viewer, f"who={viewer.pk}"))
    assert offered == {"Clear the filters": address("grid", viewer)}


def test_an_empty_collection_links_to_the_library(sign_in, member):
    made = organise_service.create_collection(member=member, name="Spring", visibility=Visibility.TEAM)
    content = empty_state(sign_in(member), member, f"collection={made.pk}")
    assert "Nothing in this collection yet" in content
    assert links(content) == {"All pictures": address("grid", member)}


@pytest.mark.parametrize("name", ["collections", "trash", "shares"])
def test_every_page_of_an_empty_library_has_a_link_that_works(sign_in, member, name):
    page = sign_in(member).get(address(name, member)).content.decode()
    empty = re.search(r'<div class="empty">.*?</div>', page, re.DOTALL)[0]
    assert links(empty) == {"To the library": address("grid", member)}


def test_a_ledger_without_entries_links_to_create_or_to_the_library(sign_in, make_member):
    maker, viewer = make_member("poor", granted=0), make_member("looks", granted=0, role=Role.VIEWER)
    for who, where in ((maker, "jobs:create"), (viewer, "library:grid")):
        page = sign_in(who).get(reverse("credits:lines", args=[who.team.slug])).content.decode()
        said = re.search(r"No lines yet.*?</p>", page, re.DOTALL)[0]
        assert f'href="{reverse(where, args=[who.team.slug])}"' in said
