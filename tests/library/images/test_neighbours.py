"""The page of one picture: what is around it in the search that it was found by, and what it tells."""

import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from generations.library.models import Image, Origin
from generations.library.organise import service as organise_service
from generations.library.search import engine as search_engine
from generations.library.search import indexer
from generations.library.search.query import Search
from generations.teams.models import Visibility
from tests.markup import compact


@pytest.fixture
def open_page(sign_in):
    """The page of a picture: open_page(member, image, q="fox")."""

    def open_page(member, image, /, **query):
        return sign_in(member).get(reverse("jobs:picture", args=[member.team.slug, image.pk]), query)

    return open_page


def neighbours(answer):
    """The pictures on the left and on the right, as the page links them, and which of how many it is."""
    page = compact(answer.content.decode())
    links = [re.search(rf'rel="{way}" href="[^"]*/picture/([-0-9a-f]+)/', page) for way in ("prev", "next")]
    place = re.search(r'class="position[^>]*>([^<]*)<', page)
    return [uuid.UUID(link[1]) if link else None for link in links] + [place and place[1]]


# Neighbours -------------------------------------------------------------------------------


def test_the_neighbours_are_those_of_the_search(open_page, member, make_image):
    foxes = [make_image(prompt=f"fox {n}") for n in range(3)][::-1]
    make_image(prompt="a hen")
    assert neighbours(open_page(member, foxes[0], q="fox")) == [None, foxes[1].pk, "1 of 3"]
    assert neighbours(open_page(member, foxes[1], q="fox")) == [foxes[0].pk, foxes[2].pk, "2 of 3"]
    assert neighbours(open_page(member, foxes[2], q="fox", order="oldest")) == [None, foxes[1].pk, "1 of 3"]
    page = compact(open_page(member, foxes[1], q="fox", order="oldest").content.decode())
    for address in re.findall(r'href="([^"]*/picture/[^"]*)"', page):
        assert address.endswith("?q=fox&amp;order=oldest")
    assert re.search(r'href="[^"]*/library/\?q=fox&amp;order=oldest" data-close', page)


def test_an_image_outside_the_search_has_neighbours_and_no_position(open_page, member, make_image):
    older, hen, newer = make_image(prompt="fox 1"), make_image(prompt="a hen"), make_image(prompt="fox 2")
    assert neighbours(open_page(member, hen, q="fox")) == [newer.pk, older.pk, None]


@pytest.mark.parametrize("name", ["collection", "batch"])
@pytest.mark.parametrize("value", ["nonsense", str(uuid.UUID(int=7, version=4)), "\0"])
def test_a_broken_search_does_not_break_the_page(open_page, sign_in, member, make_image, name, value):
    older, newer = make_image(), make_image()
    answer = open_page(member, newer, **{name: value})
    assert answer.status_code == 200
    if value == "nonsense":
        assert neighbours(answer) == [None, older.pk, "1 of 2"]
    like = reverse("library:picture_like", args=[member.team.slug, newer.pk])
    assert sign_in(member).post(like, {"on": 1, "search": f"{name}={value}"}).status_code == 302


def test_in_a_very_large_result_an_image_has_no_position(member, make_image, monkeypatch):
    images = [make_image() for _ in range(3)]
    mark = search_engine.cursor_at(member, images[0].pk)
    assert search_engine.position(member, Search(), mark) == (3, 3)
    monkeypatch.setattr(search_engine, "MAX_POSITIONS", 2)
    assert search_engine.position(member, Search(), mark) is None


def test_the_page_takes_as_many_queries_in_a_large_library(open_page, member, make_image):
    images = [make_image(prompt="fox") for _ in range(3)]
    Image.objects.update(batch=uuid.uuid4())
    organise_service.create_collection(member=member, name="c", visibility=Visibility.TEAM)
    open_page(member, images[1], q="fox")
    with CaptureQueriesContext(connection) as few:
        open_page(member, images[1], q="fox")
    more = [make_image(prompt="fox") for _ in range(12)]
    Image.objects.update(batch=uuid.uuid4())
    for number in range(12):
        made = organise_service.create_collection(
            member=member, name=f"c{number}", visibility=Visibility.TEAM
        )
        organise_service.add_to_collection(member=member, images=[more[5].pk], collection=made.pk)
        organise_service.tag(member=member, images=[more[5].pk], name=f"t{number}")
    with CaptureQueriesContext(connection) as many:
        assert open_page(member, more[5], q="fox").status_code == 200
    assert len(many) <= len(few)


# Batches, uploads ----------------------------------------------------------------------------


def test_the_batch_shows_only_visible_siblings(open_page, member, teammate, make_image):
    batch = uuid.uuid4()
    shown, private = make_image(), make_image(visibility="private")
    Image.objects.filter(pk__in=[shown.pk, private.pk]).update(batch=batch)
    page = open_page(member, shown).content.decode()
    assert "Batch: 2 pictures" in page
    assert f"library/?batch={batch}" in page
    assert str(private.pk) not in open_page(teammate, shown).content.decode()
    assert "Batch:" not in open_page(teammate, shown).content.decode()


def test_the_page_of_an_uploaded_image_has_no_parameters(open_page, member, make_image):
    fox = make_image()
    Image.objects.filter(pk=fox.pk).update(
        origin=Origin.UPLOADED, prompt="", model="", parameters={}, seed=None, generation=None, title="Scan 7"
    )
    indexer.refresh([fox.pk])
    page = compact(open_page(member, fox).content.decode())
    assert "<title>Scan 7" in page
    assert "Uploaded" in page
    assert "As start image" in page
    for words in ("Use all", "Remix", "Use seed", "Copy prompt", "Copy as JSON", "Guidance", "Model"):
        assert words not in page


def test_a_picture_in_the_trash_has_no_page(open_page, member, make_image):
    fox = make_image()
    Image.objects.filter(pk=fox.pk).update(trashed_at=timezone.now())
    assert open_page(member, fox).status_code == 404
