"""The library's page: what stands beside and above the pictures, numbers, news, and what it costs to ask."""

import re
import uuid

import pytest
from django.db import connection
from django.db.models import Q
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from generations.library.bulk import worker as bulk_worker
from generations.library.gallery import counts as gallery_counts
from generations.library.gallery import sidebar
from generations.library.images import service as images_service
from generations.library.models import BulkAction, Collection, ImageTag, SavedSearch, Tag, visible_to
from generations.library.organise import service as organise_service
from generations.library.search import engine as search_engine
from generations.library.search.query import Search
from generations.teams.models import Role, Visibility
from tests.library.conftest import address
from tests.markup import compact


def page(client, member, query=""):
    return client.get(f"{address('grid', member)}?{query}")


def shown(answer):
    return [image for _day, images in answer.context["days"] for image in images]


def collected(member, name, images=(), visibility=Visibility.TEAM):
    made = organise_service.create_collection(member=member, name=name, visibility=visibility)
    organise_service.add_to_collection(
        member=member, images=[image.pk for image in images], collection=made.pk
    )
    return made


# Search and chips ----------------------------------------------------------------------


def test_the_page_shows_the_results_of_the_search_in_its_url(sign_in, member, enter):
    enter(prompt="a red fox")
    (hen,) = enter(prompt="a white hen")
    assert shown(page(sign_in(member), member, "q=white")) == [hen]


def test_a_picture_is_opened_with_the_search_that_found_it(sign_in, member, enter):
    (fox,) = enter(prompt="a red fox")
    content = page(sign_in(member), member, "q=red+fox&order=oldest").content.decode()
    assert (
        f'{reverse("jobs:picture", args=[member.team.slug, fox.pk])}?q=red+fox&amp;order=oldest"' in content
    )


def test_the_next_page_keeps_the_search(sign_in, member, enter):
    enter(70, prompt="a red fox")
    answer = page(sign_in(member), member, "q=fox")
    assert f"?before={answer.context['older']}&amp;q=fox" in answer.content.decode()
    more = page(sign_in(member), member, f"q=fox&before={answer.context['older']}")
    assert len(shown(more)) == 30


def test_a_chip_shows_what_is_chosen_and_links_to_the_search_without_it(sign_in, member, teammate, enter):
    enter()
    query = f"q=fox&who={member.pk}&who={teammate.pk}&model=ultra&shape=16%3A9&seed=7"
    chips = page(sign_in(member), member, query).context["chips"]
    assert chips["who"].chosen == "Mei, Lin"
    assert chips["model"].chosen == "Ultra"
    assert chips["seed"].chosen == "7"
    without = Search.from_query(QueryDict(chips["who"].without))
    assert without == Search(q="fox", model=("ultra",), shape=("16:9",), seed=7)
    assert ("who", str(member.pk)) in chips["model"].other_parameters
    assert not any(name == "model" for name, _value in chips["model"].other_parameters)


def test_days_have_names_in_the_time_zone_of_the_team(sign_in, member, enter):
    enter()
    chips = page(sign_in(member), member).context["chips"]
    today = next(choice for choice in chips["since"].choices if choice.title == "Today")
    chosen = page(sign_in(member), member, today.query_string).context["chips"]["since"]
    assert chosen.chosen == "Today"
    one_day = page(sign_in(member), member, "since=2026-01-02&until=2026-01-02").context["chips"]["since"]
    assert one_day.chosen == "2 Jan 2026"


def test_a_form_of_a_chip_works_without_scripts(sign_in, member, enter):
    enter(prompt="a red fox", model="core")
    (ultra,) = enter(prompt="a red fox", model="ultra")
    content = compact(page(sign_in(member), member, "q=fox").content.decode())
    assert '<input type="checkbox" name="model" value="ultra">' in content
    assert '<input type="hidden" name="q" value="fox">' in content
    assert shown(page(sign_in(member), member, "q=fox&model=ultra")) == [ultra]


@pytest.mark.parametrize(
    "query",
    [
        "q=%00&who=9999999999999999999999&since=9999-99-99&seed=99999999999999999999",
        "tag=%00&tag=" + "x" * 3000,
        "who=1&who=999999&style=nonsense&shape=1:0",
        "q=%ED%A0%80&order=sideways",
    ],
)
def test_a_malformed_query_string_shows_a_page(sign_in, member, enter, query):
    enter()
    for name in ("grid", "counts", "newer", "tags"):
        assert sign_in(member).get(f"{address(name, member)}?{query}").status_code == 200


def test_nothing_found_says_what_was_looked_for(sign_in, member, enter):
    enter()
    content = compact(page(sign_in(member), member, "q=unicorn&model=ultra").content.decode())
    assert "Nothing found" in content
    assert "“unicorn”" in content
    assert "Model <bdi>Ultra</bdi>" in content


def test_an_empty_collection_says_how_it_is_filled(sign_in, member, enter):
    enter()
    empty = collected(member, "Posters")
    content = page(sign_in(member), member, f"collection={empty.pk}").content.decode()
    assert "Nothing in this collection yet" in content


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "\u202eevil\u202c",
        "a\x01\x1b[31mb",
        "{{ 7 }}",
    ],
)
def test_markup_in_texts_is_escaped(sign_in, member, enter, text):
    enter(prompt=text, title=text)
    collected(member, text)
    organise_service.save_search(member=member, name=text, search=Search(q="a"), visibility=Visibility.TEAM)
    client = sign_in(member)
    for content in (
        page(client, member).content.decode(),
        client.get(address("grid", member), {"q": text}).content.decode(),
        client.get(address("collections", member), {"q": text}).content.decode(),
        client.get(address("counts", member)).content.decode(),
    ):
        assert "<script>alert" not in content
        assert "<img src=x" not in content
        assert " onerror=alert(1)>" not in content


# Beside the pictures ---------------------------------------------------------------------


def test_the_sidebar_shows_the_collections_changed_last_with_their_newest_image(sign_in, member, enter):
    older, newer = enter(2)
    for number in range(sidebar.MAX_SHOWN + 1):
        collected(member, f"C{number}")
    collected(member, "Mine", [older, newer], Visibility.PRIVATE)
    side = page(sign_in(member), member).context["side"]
    assert [one.name for one in side.team.shown][:2] == ["C12", "C11"]
    assert (len(side.team.shown), side.team.total) == (sidebar.MAX_SHOWN, 13)
    assert [one.newest.pk for one in side.own.shown] == [newer.pk]


def test_the_sidebar_shows_no_private_rows_of_others(sign_in, member, teammate, stranger, enter):
    (secret,) = enter(by=teammate, visibility="private")
    shared = collected(teammate, "Shared", [secret])
    collected(teammate, "Secret", visibility=Visibility.PRIVATE)
    collected(stranger, "Foreign")
    organise_service.save_search(
        member=teammate, name="Hidden", search=Search(q="a"), visibility=Visibility.PRIVATE
    )
    organise_service.save_search(
        member=teammate, name="Seen", search=Search(q="a"), visibility=Visibility.TEAM
    )
    enter()
    side = page(sign_in(member), member).context["side"]
    assert [(one.pk, one.newest) for one in side.collections] == [(shared.pk, None)]
    assert [saved.name for saved in side.saved] == ["Seen"]
    assert dict(gallery_counts.collection_counts(member, Collection.objects.filter(pk=shared.pk), 9)) == {
        shared: "0"
    }


@pytest.mark.parametrize("role", Role)
def test_the_prepared_queries_of_the_sidebar_find_what_their_orm_forms_find(member, teammate, enter, role):
    images = [enter(by=owner, visibility=kind)[0] for owner in (member, teammate) for kind in Visibility]
    for owner in (member, teammate):
        for kind in Visibility:
            collected(owner, f"{owner} {kind}", images, kind)
            organise_service.save_search(member=owner, name=str(kind), search=Search(q="a"), visibility=kind)
    type(member).objects.filter(pk=member.pk).update(role=role)
    member.refresh_from_db()
    side = sidebar.load(member)
    visible = gallery_counts.with_covers(visible_to(member), Collection.objects.visible_to(member))
    for group, is_team in ((side.team, Q(visibility="team")), (side.own, ~Q(visibility="team"))):
        expected = visible.filter(is_team).order_by("-changed_at", "-pk")
        covers = [(one.pk, one.newest and one.newest.pk) for one in group.shown]
        assert covers == [(one.pk, one.cover) for one in expected]
        assert group.total == expected.count() > 0
    assert side.saved == list(SavedSearch.objects.visible_to(member).order_by("name", "pk"))


def test_counts_are_loaded_after_the_page_and_are_bounded(sign_in, member, teammate, enter, monkeypatch):
    monkeypatch.setattr(gallery_counts, "MAX_COUNT", 4)
    enter(4, prompt="fox")
    enter(2, by=teammate, prompt="hen")
    mine = enter(1)[0]
    organise_service.like(member=member, images=[mine.pk])
    posters = collected(member, "Posters", [mine])
    saved = organise_service.save_search(
        member=member, name="Hens", search=Search(q="hen"), visibility=Visibility.TEAM
    )
    images_service.trash(member=member, images=[enter(1)[0].pk])
    content = compact(sign_in(member).get(f"{address('counts', member)}?q=hen").content.decode())
    expected = {"count-everything": "4+", "count-favourites": "1", "count-mine": "4+"}
    expected |= {f"size-{posters.pk}": "1", f"size-{saved.pk}": "2"}
    for name, number in expected.items():
        assert f'id="{name}" hx-swap-oob="true">{number}<' in content
    assert 'data-found="2">2<span class="wide"> of 4+</span>' in content
    assert gallery_counts.page_counts(member, Search()).trash == "1"


@pytest.mark.parametrize("role", Role)
def test_the_number_of_own_pictures_is_that_of_a_search_for_them(member, teammate, enter, role):
    for by in (member, teammate):
        enter(3, by=by)
        enter(2, by=by, visibility=Visibility.PRIVATE)
        images_service.trash(member=by, images=[image.pk for image in enter(1, by=by)])
    member.role = role
    found = search_engine.count(member, Search(who=(member.pk,)))
    assert gallery_counts.page_counts(member, Search()).mine == str(found)
    assert found == (3 if role == Role.VIEWER else 5)


def places(html):
    """The ids of the elements of a response that take the place of those on the page."""
    return {found[1] for found in re.finditer(r'<\w+[^>]*? id="([^"]+)"[^>]* hx-swap-oob', compact(html))}


def test_every_count_has_its_place_on_the_page(sign_in, member, viewer, enter):
    enter()
    collected(member, "Boats")
    organise_service.save_search(
        member=member, name="Foxes", search=Search(q="fox"), visibility=Visibility.TEAM
    )
    for who in (member, viewer):
        client = sign_in(who)
        shown = page(client, who).content.decode()
        for more in ({}, {"lists": "1"}):
            ids = places(client.get(address("counts", who), more).content.decode())
            assert {"count-everything", "found"} < ids
            assert not {found for found in ids if f'id="{found}"' not in shown}, more


def test_a_collection_made_from_a_selection_is_at_the_side_at_once(sign_in, member, viewer, enter):
    images, client = enter(2), sign_in(member)
    assert "Boats" not in page(client, member).content.decode()
    chosen = {"act": "collect", "name": "Boats", "image": [image.pk for image in images]}
    assert client.post(address("deed", member), chosen).status_code == 302
    for action in BulkAction.objects.all():
        bulk_worker.process(action.pk)
    lists = compact(client.get(address("counts", member), {"lists": "1"}).content.decode())
    made = Collection.objects.get()
    assert f'<span class="number" id="size-{made.pk}">2</span>' in lists
    assert f'<button class="menu-item" name="collect" value="{made.pk}">' in lists
    assert (
        'name="collect"'
        not in sign_in(viewer).get(address("counts", viewer), {"lists": "1"}).content.decode()
    )


def test_saved_searches_are_counted_as_long_as_that_is_quick(member, enter, monkeypatch):
    for name in "abc":
        organise_service.save_search(
            member=member, name=name, search=Search(q=name), visibility=Visibility.TEAM
        )
    monkeypatch.setattr(gallery_counts, "TIME_BUDGET", -1)
    assert list(gallery_counts.saved_search_counts(member, SavedSearch.objects.all())) == []


def test_a_saved_search_of_a_collection_that_is_gone_finds_nothing(sign_in, member, enter):
    enter()
    gone = Search(collection=uuid.uuid4())
    organise_service.save_search(member=member, name="Gone", search=gone, visibility=Visibility.TEAM)
    assert sign_in(member).get(address("counts", member)).status_code == 200


def test_a_full_page_takes_as_many_queries_as_a_small_one(sign_in, member, teammate, enter):
    client = sign_in(member)

    def add(count):
        images = enter(count)
        organise_service.like(member=member, images=[image.pk for image in images])
        for number in range(count):
            collected(member, f"Team {number}", images[:1])
            collected(member, f"Own {number}", images[:1], Visibility.PRIVATE)
            organise_service.save_search(
                member=member, name=str(number), search=Search(q="x"), visibility=Visibility.TEAM
            )
        tags = Tag.objects.bulk_create(
            Tag(team=member.team, name=uuid.uuid4().hex, key=uuid.uuid4().hex) for _ in range(50 * count)
        )
        ImageTag.objects.bulk_create(ImageTag(tag=tag, image=images[0]) for tag in tags)

    def asked(name):
        client.get(address(name, member))  # writes down, now and then, that Mei was here
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address(name, member)).status_code == 200
        return len(queries)

    add(1)
    few = {name: asked(name) for name in ("grid", "collections", "tags")}
    add(70)
    assert {name: asked(name) for name in few} == few
    assert few["grid"] < 25


# While the page is open ----------------------------------------------------------------------


def test_images_newer_than_the_page_are_counted(sign_in, member, enter):
    first, last = enter(2, prompt="a red fox")
    client = sign_in(member)
    ask = f"{address('newer', member)}?q=fox&first="
    assert client.get(f"{ask}{first.pk}").json() == {"count": 1}
    assert client.get(f"{ask}{last.pk}").json() == {"count": 0}
    enter(120, prompt="a red fox", created_at=timezone.now())
    enter(1, prompt="a hen", created_at=timezone.now())
    assert client.get(f"{ask}{last.pk}").json() == {"count": 99}


def test_newer_images_than_one_of_another_team_are_not_found(sign_in, member, stranger, enter):
    (foreign,) = enter(by=stranger)
    client = sign_in(member)
    for first in (foreign.pk, "nonsense", uuid.uuid4()):
        assert client.get(address("newer", member), {"first": first}).status_code == 404


def test_tags_are_completed_for_the_team_alone(sign_in, member, stranger, enter):
    images = [image.pk for image in enter(2)]
    organise_service.tag(member=member, images=images, name="hero")
    organise_service.tag(member=member, images=images[:1], name="Heron <b>")
    organise_service.tag(member=stranger, images=[enter(by=stranger)[0].pk], name="hermit")
    answer = sign_in(member).get(address("tags", member), {"q": "HER"})
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == {"tags": [{"name": "hero", "uses": "2"}, {"name": "Heron <b>", "uses": "1"}]}


def test_a_viewer_is_offered_only_what_they_may_do(sign_in, viewer, member, enter):
    enter()
    collected(member, "Posters")
    content = page(sign_in(viewer), viewer, "q=&liked=0").content.decode()
    assert 'value="trash"' not in content
    assert "Save search" not in content
    assert 'value="like"' in content
    member.role = Role.OWNER
    member.save()
    assert 'value="trash"' in page(sign_in(member), member).content.decode()
