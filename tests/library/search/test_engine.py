"""Searching, on both databases alike: what is found, in which order, page by page, and by whom."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.http import Http404, QueryDict
from django.test.utils import CaptureQueriesContext

from generations.library.images import service as images_service
from generations.library.models import Collection, Image, SearchEntry, visible_to
from generations.library.organise import service as organise_service
from generations.library.search import engine as search_engine
from generations.library.search import indexer
from generations.library.search.query import Search
from generations.teams.models import Membership, Role, Visibility

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def enter(member):
    """Images without bytes, one a minute: enter("a red fox", title=…, by=…)."""
    made = []

    def make(prompt="", *, by=member, tags=(), **values):
        parameters = {"style_preset": values.pop("style")} if "style" in values else {}
        row = Image.objects.create(
            **{
                "team": by.team,
                "owner": by,
                "prompt": prompt,
                "parameters": parameters,
                "key": f"images/{uuid.uuid4()}/1-x.png",
                "sha256": "0" * 64,
                "media_type": "image/png",
                "width": 1024,
                "height": 1024,
                "bytes": 100,
                "created_at": START + timedelta(minutes=len(made)),
                **values,
            }
        )
        made.append(row)
        indexer.refresh([row.pk])
        for name in tags:
            organise_service.tag(member=by, images=[row.pk], name=name)
        return row

    return make


def found(member, address="", **more):
    search = Search.from_query(QueryDict(address))
    return search_engine.page(member, search, size=more.pop("size", 60), **more)


def prompts(member, question):
    return [image.prompt for image in search_engine.page(member, Search(q=question), size=60)]


# Words ------------------------------------------------------------------------------


def test_words_are_found_in_any_order_in_prompt_negative_prompt_and_title(enter, member):
    fox = enter("a red fox in the snow")
    titled = enter("something", title="Snow, and a fox")
    negative = enter("a street", negative_prompt="fox, snow")
    enter("a fox"), enter("snowfox"), enter("snow")
    assert found(member, "q=SNOW+fox") == [negative, titled, fox]


def test_a_phrase_stands_as_it_is_written_and_not_across_fields(enter, member):
    enter("a red fox"), enter("a fox, red"), enter("a red", title="fox"), enter("red foxes")
    assert prompts(member, '"red fox"') == ["a red fox"]


def test_a_word_finds_the_words_that_begin_with_it(enter, member):
    for prompt in (
        "a boat",
        "two boats",
        "a boathouse, red",
        "a houseboat",
        "the reddest Boathouse",
        "Bootshaus",
    ):
        enter(prompt)
    assert prompts(member, "boat") == ["the reddest Boathouse", "a boathouse, red", "two boats", "a boat"]
    assert prompts(member, "boat red") == ["the reddest Boathouse", "a boathouse, red"]
    assert prompts(member, "boathouse") == ["the reddest Boathouse", "a boathouse, red"]
    assert prompts(member, "BOATH red") == ["the reddest Boathouse", "a boathouse, red"]


def test_short_words_and_what_is_quoted_are_found_whole(enter, member):
    enter("an ox"), enter("oxen"), enter("a fox"), enter("foxes")
    assert prompts(member, "ox") == ["an ox"]
    assert prompts(member, '"fox"') == ["a fox"]
    assert prompts(member, "fox") == ["foxes", "a fox"]


def test_an_excluded_word_leaves_out_only_itself(enter, member):
    enter("a cat in a town"), enter("a cathedral in a town"), enter("cats in a town")
    assert prompts(member, "town -cat") == ["cats in a town", "a cathedral in a town"]
    assert prompts(member, "-cat") == ["cats in a town", "a cathedral in a town"]
    assert prompts(member, "cat -cathedral") == ["cats in a town", "a cat in a town"]


def test_a_beginning_with_accents_or_of_a_long_word_is_found(enter, member):
    long = "x" * 70
    enter("Éclairs au chocolat"), enter(long)
    assert prompts(member, "eclair CHOC") == ["Éclairs au chocolat"]
    assert prompts(member, "x" * 30) == [long]
    assert prompts(member, "x" * 80) == [long]


def test_a_beginning_finds_nothing_by_a_filters_term(enter, member):
    enter("a hen", model="ultra", tags=["multicoloured"])
    assert prompts(member, "multi") == prompts(member, "multra") == []


def test_what_is_excluded_is_not_found(enter, member):
    enter("a red fox"), enter("a red hen"), enter("an old red town"), enter("red town, old")
    assert prompts(member, "red -fox") == ["red town, old", "an old red town", "a red hen"]
    assert prompts(member, 'red -"red town"') == ["a red hen", "a red fox"]
    assert prompts(member, "-red") == []


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("狐", ["红色狐狸在雪地", "狐"]),
        ("狐狸", ["红色狐狸在雪地"]),
        ("狐狸 红色", ["红色狐狸在雪地"]),
        ("色狐狸", ["红色狐狸在雪地"]),
        ("狐红", []),
        ("狸狐", []),
        ("雪 -狐狸", ["白雪"]),
        ('"雪地"', ["红色狐狸在雪地"]),
        ("キツネ", ["赤いキツネ"]),
    ],
)
def test_chinese_is_found_without_spaces_by_one_character_and_by_several(enter, member, question, answers):
    for prompt in ("赤いキツネ", "白雪", "狐", "狸 狐 色 红", "红色狐狸在雪地"):
        enter(prompt)
    expected = [*answers, "狸 狐 色 红"] if question == "狐" else answers
    assert sorted(prompts(member, question)) == sorted(expected)


def test_accents_case_and_width_make_no_difference(enter, member):
    enter("Café CRÈME ＦＯＸ")
    assert prompts(member, "cafe crème fox") == ["Café CRÈME ＦＯＸ"]


@pytest.mark.parametrize(
    "question",
    [
        "'",
        '"',
        "\\",
        "a'b",
        "%",
        "_",
        "fox*",
        "fox:*",
        "!fox",
        "fox|hen",
        "NOT",
        "fox NEAR hen",
        "§t1",
        "(",
        "\ud800",
    ],
)
def test_operators_of_the_databases_have_no_effect(enter, member, question):
    enter("a fox"), enter("nothing")
    assert len(prompts(member, question)) in {0, 1, 2}
    assert prompts(member, f"zebra {question}") == []


def test_a_prompt_cannot_imitate_a_filter(enter, member):
    enter("§o999 §fav § g1")
    assert found(member, "who=999") == []


# Filters ------------------------------------------------------------------------------


def test_filters_narrow_by_everything_that_an_image_has(enter, member, teammate):
    fox = enter("fox", model="ultra", style="anime", seed=7, width=1600, height=900, tags=["Hero"])
    hen = enter("hen", by=teammate, model="core", batch=uuid.uuid4())
    organise_service.like(member=member, images=[hen.pk])
    for address, expected in {
        f"who={member.pk}": [fox],
        f"who={member.pk}&who={teammate.pk}": [hen, fox],
        "model=ultra": [fox],
        "model=ultra&model=core": [hen, fox],
        "style=anime": [fox],
        "shape=16:9": [fox],
        "shape=1:1": [hen],
        "seed=7": [fox],
        "tag=HERO": [fox],
        "tag=hero&tag=other": [],
        "liked=1": [hen],
        f"batch={hen.batch}": [hen],
        "q=fox&model=core": [],
        "order=oldest": [fox, hen],
        "seed=99999999999999999999": [hen, fox],  # no number: as if it were not there
        "model=nonsense&style=x&since=2026-99-01&until=0001-01-01": [hen, fox],
    }.items():
        assert found(member, address) == expected, address
    assert found(teammate, "liked=1") == []


def test_days_are_in_the_time_zone_of_the_team(enter, member):
    type(member.team).objects.update(time_zone="Pacific/Auckland")
    member.team.refresh_from_db()
    early = enter("early", created_at=datetime(2026, 3, 1, 10, 59, tzinfo=UTC))  # 23:59 there
    late = enter("late", created_at=datetime(2026, 3, 1, 11, 0, tzinfo=UTC))
    assert found(member, "until=2026-03-01") == [early]
    assert found(member, "since=2026-03-02&until=2026-03-02") == [late]


def test_a_query_string_is_parsed_into_the_same_search():
    search = Search(
        q='a "b c" -d',
        who=(1, 2),
        model=("ultra",),
        style=("anime",),
        shape=("16:9",),
        tag=("hero",),
        seed=0,
        since=date(2026, 1, 1),
        collection=uuid.uuid4(),
        liked=True,
        oldest=True,
    )
    assert Search.from_query(QueryDict(search.query_string())) == search
    assert Search.from_query(QueryDict("")).is_everything
    assert not search.is_everything


@pytest.mark.parametrize("address", ["collection=x", "batch=x", f"collection={uuid.UUID(int=7, version=4)}"])
def test_a_broken_or_unknown_id_is_not_found(member, address):
    with pytest.raises(Http404):
        found(member, address)


def test_a_collection_is_searched_by_those_who_may_see_it(enter, member, teammate):
    fox = enter("fox")
    enter("hen")
    private = organise_service.create_collection(member=member, name="Mine", visibility=Visibility.PRIVATE)
    organise_service.add_to_collection(member=member, images=[fox.pk], collection=private.pk)
    assert found(member, f"collection={private.pk}") == [fox]
    with pytest.raises(Http404):
        found(teammate, f"collection={private.pk}")
    Collection.objects.update(visibility=Visibility.TEAM)
    assert found(teammate, f"collection={private.pk}") == [fox]


# Who finds what ---------------------------------------------------------------------------


def test_everybody_finds_what_they_may_see(enter, member, teammate, stranger):
    shared, private = enter("fox"), enter("fox", visibility="private")
    assert found(member, "q=fox") == [private, shared]
    assert found(teammate, "q=fox") == [shared]
    assert found(stranger, "q=fox") == []
    assert found(stranger, f"who={member.pk}") == []
    Membership.objects.filter(pk=member.pk).update(role=Role.VIEWER)
    member.refresh_from_db()
    assert found(member, "q=fox") == [shared]  # a viewer sees the team's alone


def test_the_trash_is_not_searched_and_what_comes_back_is(enter, member):
    fox = enter("fox", tags=["hero"])
    images_service.trash(member=member, images=[fox.pk])
    assert (found(member), SearchEntry.objects.count()) == ([], 0)
    images_service.restore(member=member, images=[fox.pk])
    assert found(member, "q=fox&tag=hero") == [fox]


def test_a_changed_image_is_found_by_its_new_values(enter, member, teammate):
    fox = enter("fox")
    images_service.set_title(member=member, image=fox.pk, title="Reynard")
    assert found(member, "q=reynard") == [fox]
    images_service.set_visibility(member=member, images=[fox.pk], visibility=Visibility.PRIVATE)
    assert found(teammate) == []


# Pages --------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["", "order=oldest"])
@pytest.mark.parametrize("question", ["", "q=fox"])
@pytest.mark.parametrize("tried", [(0, 0), (2, 4), (3, 30), (3_000, 20_000)])
def test_pages_show_each_image_once_forwards_and_back(enter, member, monkeypatch, order, question, tried):
    monkeypatch.setattr(search_engine, "TRIED_FIRST", tried[0])
    monkeypatch.setattr(search_engine, "TRIED_NEXT", tried[1])
    images = [
        enter("fox" if number % 3 else "hen", created_at=START + timedelta(minutes=number // 4))
        for number in range(25)
    ]
    expected = [image for image in images if not question or image.prompt == "fox"]
    expected.sort(key=lambda image: (image.created_at, image.pk), reverse=not order)
    address, seen, after = f"{question}&{order}", [], None
    while page := found(member, address, size=4, after=after):
        seen += page
        after = search_engine.cursor_at(member, page[-1].pk)
    assert seen == expected
    back = found(
        member, address, size=3, after=search_engine.cursor_at(member, expected[9].pk), backwards=True
    )
    assert back == expected[6:9][::-1]
    assert search_engine.ids(member, Search.from_query(QueryDict(address))) == [
        image.pk for image in expected
    ]


@pytest.mark.parametrize(
    "address",
    [
        "q=fox",
        "q=fo",
        'q="fox"',
        'q="red fox"',
        'q="a red fox"',
        "q=fox+-red",
        "q=sno+fox",
        "q=狐狸",
        "q=狐",
        "q=日本",
        "q=§o1",
        "model=core",
        "model=core&model=ultra&q=fox",
        "style=anime&model=ultra",
        "q=-fox&model=core",
        "tag=night",
        "q=snow_fox+100%25",
    ],
)
def test_trying_documents_one_by_one_finds_what_the_index_finds(enter, member, teammate, stranger, address):
    prompts = (
        "a red fox",
        "foxes in the snow",
        "fo",
        "红色狐狸在雪地",
        "狐 狸",
        "日本",
        "snowfox 100 red",
        "",
    )
    for number, prompt in enumerate(prompts):
        enter(prompt, model=("core", "ultra")[number % 2], style=("anime", "enhance")[number % 3 // 2])
    enter("a night fox", by=teammate, tags=["night"])
    for unseen in ({"by": teammate, "visibility": Visibility.PRIVATE}, {"by": stranger}):
        enter("a red fox, 狐狸, 日本", model="core", style="anime", tags=["night"], **unseen)
    results = search_engine.Results(member, Search.from_query(QueryDict(address)))
    by_index = set(results.entries.values_list("image", flat=True))
    assert set(results.nearby.values_list("image", flat=True)) == by_index
    assert len(by_index) < SearchEntry.objects.count()


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_the_prepared_query_for_everything_finds_what_its_orm_form_finds(
    enter, member, teammate, make_member, role, order
):
    left = make_member("bo")
    Membership.objects.filter(pk=left.pk).update(ended_at=START)
    for number in range(12):
        owner = (member, teammate, left)[number % 3]
        visibility = ("team", "private")[number // 3 % 2]
        enter(by=owner, visibility=visibility, created_at=START + timedelta(minutes=number // 4))
    Membership.objects.filter(pk=member.pk).update(role=role)
    member.refresh_from_db()
    search = Search(oldest=order == "oldest")
    shown = SearchEntry.objects.filter(visible_to(member), team=member.team).values_list("image", flat=True)
    for cursor in (None, *(search_engine.cursor_at(member, pk) for pk in shown)):
        for older in (True, False):
            results = search_engine.Results(member, search, after=cursor, older=older)
            assert results.is_everything
            assert results.ids(5) == results._ids(results.visible, 5)


def test_a_page_of_sixty_takes_as_many_queries_as_a_page_of_one(enter, member):
    enter("fox")
    with CaptureQueriesContext(connection) as one:
        assert len(found(member, "q=fox")) == 1
    for _ in range(70):
        enter("fox")
    with CaptureQueriesContext(connection) as sixty:
        assert len(found(member, "q=fox")) == 60
    assert len(one) == len(sixty)


def test_a_large_result_is_not_counted_to_its_end(enter, member):
    for _ in range(5):
        enter("fox")
    assert search_engine.count(member, Search(q="fox")) == 5
    assert search_engine.count(member, Search(q="fox"), most=3) == 4


# What the database keeps ----------------------------------------------------------------------


def test_the_database_indexes_changed_documents_after_every_migration(enter, member):
    """SQLite drops triggers, and PostgreSQL the generated column, when a migration rebuilds the table."""
    fox = enter("fox")
    SearchEntry.objects.filter(image=fox).update(document=f"| hen | §t{member.team_id} |")
    assert found(member, "q=hen") == [fox]
    assert found(member, "q=fox") == []
    Image.objects.filter(pk=fox.pk).delete()
    assert found(member, "q=hen") == []
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO library_words(library_words) VALUES ('integrity-check')")


@pytest.mark.django_db(transaction=True)
def test_images_from_before_the_search_are_found_after_the_migration(enter, member):
    fox = enter("fox", model="ultra")
    call_command("migrate", "library", "0003", verbosity=0)
    SearchEntry.objects.all().delete()
    call_command("migrate", verbosity=0)  # of other rooms too, which were taken back with it
    assert found(member, "q=fox&model=ultra") == [fox]
