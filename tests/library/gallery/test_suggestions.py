"""What the search field suggests while one types, and the line that says what the words found."""

import pytest
from django.utils.html import strip_tags

from generations.library.gallery import suggestions
from generations.library.organise import service as organise_service
from generations.library.search import explanation as search_explanation
from generations.library.search.query import Search
from generations.teams.models import Visibility
from tests.library.conftest import address


def titles(member, text, **filters):
    return [(one.kind, one.title) for one in suggestions.suggest(member, Search(q=text, **filters))]


@pytest.fixture
def shelf(member):
    return organise_service.create_collection(
        member=member, name="Summer-campaign 2026", visibility=Visibility.TEAM
    )


def test_people_models_collections_and_tags_are_suggested_by_the_beginnings_of_their_words(
    member, teammate, shelf, enter
):
    images = enter(2)
    organise_service.tag(member=member, images=[images[0].pk], name="Summer light")
    organise_service.tag(member=member, images=[images[1].pk], name="late summer")
    assert titles(member, "summ") == [
        ("collection", "Summer-campaign 2026"),
        ("tag", "Summer light"),
        ("tag", "late summer"),
    ]
    assert titles(member, "2026") == [("collection", "Summer-campaign 2026")]
    assert titles(member, "LIN") == [("who", "Lin")]
    assert ("model", "Ultra") in titles(member, "ultr")
    assert titles(member, "ummer") == titles(member, "!") == titles(member, "") == []


def test_the_words_before_stay_in_the_search(member, shelf):
    search = Search(q="red boat camp summ", model=("ultra",))
    (found,) = suggestions.suggest(member, search)
    assert found.query_string == search.replace(q="red boat", collection=shelf.pk).query_string()


def test_a_person_or_a_tag_is_added_to_those_that_are_chosen(member, teammate):
    (found,) = suggestions.suggest(member, Search(q="lin", who=(member.pk,)))
    assert found.query_string == f"who={member.pk}&who={teammate.pk}"


def test_names_without_spaces_are_found_in_the_middle(member, enter):
    organise_service.create_collection(member=member, name="古老的灯塔", visibility=Visibility.TEAM)
    organise_service.tag(member=member, images=[enter(1)[0].pk], name="海边灯塔")
    assert titles(member, "灯塔") == [("collection", "古老的灯塔"), ("tag", "海边灯塔")]


def test_nothing_of_another_team_and_nothing_private_is_suggested(member, teammate, stranger, enter):
    organise_service.create_collection(member=stranger, name="Secretariat", visibility=Visibility.TEAM)
    organise_service.create_collection(member=teammate, name="Secret plans", visibility=Visibility.PRIVATE)
    organise_service.tag(member=stranger, images=[enter(1, by=stranger)[0].pk], name="secret")
    assert titles(member, "secr") == []
    assert titles(member, "eve") == []
    assert titles(teammate, "secr") == [("collection", "Secret plans")]


def test_a_tag_that_no_picture_has_is_not_suggested(member, enter):
    (image,) = enter(1)
    organise_service.tag(member=member, images=[image.pk], name="harbour")
    organise_service.untag(member=member, images=[image.pk], name="harbour")
    assert titles(member, "harb") == []


def test_the_field_asks_the_server_and_gets_addresses_of_searches(sign_in, member, teammate):
    client = sign_in(member)
    answer = client.get(
        address("suggest", member), {"q": "boat lin", "liked": "1", "model": "nonsense"}
    ).json()
    where = f"{address('grid', member)}?q=boat&who={teammate.pk}&liked=1"
    assert answer == {"suggestions": [{"kind": "Who", "title": "Lin", "address": where}]}


def test_the_number_of_queries_does_not_grow_with_what_is_suggested(
    django_assert_max_num_queries, member, enter
):
    for image in enter(12):
        name = f"summer {image.pk}"
        organise_service.tag(member=member, images=[image.pk], name=name[:40])
        organise_service.create_collection(member=member, name=name, visibility=Visibility.TEAM)
    with django_assert_max_num_queries(4):
        assert len(titles(member, "summ")) == 10


# The line that says what the words found -----------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found", "sentence"),
    [
        ("boat red", 12, "12 pictures with words beginning with boat and red"),
        ("Boat", 1, "1 picture with words beginning with boat"),
        ("boat red fox", 0, "0 pictures with words beginning with boat, red and fox"),
        ('boat "red fox"', 3, "3 pictures with words beginning with boat, with exactly “red fox”"),
        ("boat -cat", 3, "3 pictures with words beginning with boat, without cat"),
        ("-cat", 3, "3 pictures without cat"),
        ("古老的灯塔", 3, "3 pictures with exactly “古老的灯塔”"),
        ("boat", None, "Pictures with words beginning with boat"),
    ],
)
def test_a_line_says_what_the_words_did(text, found, sentence):
    explained = search_explanation.explain(Search(q=text), found, str(found))
    assert strip_tags(explained) == sentence


def test_without_words_there_is_no_line():
    assert search_explanation.explain(Search(liked=True), 3, "3") == ""


def test_the_line_is_on_the_page_and_its_number_comes_with_the_counts(sign_in, member, enter):
    enter(2, prompt="two boats"), enter(1, prompt="a hen")
    client = sign_in(member)
    content = client.get(address("grid", member), {"q": "boat"}).content.decode()
    assert "Pictures with words beginning with <bdi>boat</bdi>" in content
    counts = client.get(address("counts", member), {"q": "boat"}).content.decode()
    assert "2 pictures with words beginning with <bdi>boat</bdi>" in counts
    assert "explanation" not in client.get(address("counts", member), {"liked": "1"}).content.decode()


def test_the_words_are_shown_as_text():
    explained = search_explanation.explain(Search(q='boat<b> "100%" %(count)s &amp'), 1, "1")
    assert "<b>" not in explained
    assert "&amp" not in explained.replace("<bdi>amp</bdi>", "")
