"""Acting on many pictures from the page: at once, by a worker, taken back, and never on what is another's."""

import uuid

import pytest
from django.urls import reverse

from generations.library import tasks
from generations.library.bulk import service as bulk_service
from generations.library.models import Act, Collection, Deed, Image, Tagged
from generations.library.organise import service as organise_service
from generations.library.search.query import Search
from generations.teams.models import Visibility
from tests.library.conftest import address

SCRIPT = {"HX-Request": "true"}


@pytest.fixture
def do(sign_in, member):
    """Press a button of the bar: do("trash", images, name=…)."""

    def press(act, images=(), *, by=member, headers=SCRIPT, **fields):
        form = {"act": act, "image": [str(getattr(image, "pk", image)) for image in images]} | fields
        return sign_in(by).post(address("deed", by), form, headers=headers)

    return press


def tagged(name):
    return Tagged.objects.filter(tag__name=name).count()


def test_a_few_are_tagged_while_the_page_waits(do, member, enter):
    answer = do("tag", enter(3), tag="hero")
    content = answer.content.decode()
    assert "3 tagged “hero”" in content
    assert "data-finished" in content
    assert "<html" not in content
    assert tagged("hero") == 3


def test_what_was_left_alone_is_told_and_comes_back_to_the_page(do, member, teammate, enter):
    mine, theirs = enter(1), enter(2, by=teammate)
    content = do("trash", [*mine, *theirs]).content.decode()
    assert "1 in the trash" in content
    assert "2 were left alone: not yours to change" in content
    left = content.split('data-left="')[1].split('"')[0].split()
    assert sorted(left) == sorted(str(image.pk) for image in theirs)


def test_the_trash_can_be_undone_once(do, sign_in, member, enter):
    do("trash", enter(2))
    deed = Deed.objects.get()
    undo = address("undo", member, deed.pk)
    content = sign_in(member).post(undo, headers=SCRIPT).content.decode()
    assert "Undone for 2 pictures" in content
    assert 'data-undoes="trash"' in content
    assert not Image.objects.exclude(trashed_at=None).exists()
    sign_in(member).post(undo, headers=SCRIPT)
    assert Deed.objects.count() == 2


def test_three_hundred_are_carried_by_a_worker_while_the_page_asks(do, sign_in, member, enter, monkeypatch):
    monkeypatch.setattr(tasks.run_bulk_action, "apply_async", lambda *_args, **_options: None)
    content = do("tag", enter(300), tag="hero").content.decode()
    deed = Deed.objects.get()
    where = address("deed_progress", member, deed.pk)
    assert 'role="progressbar"' in content
    assert f'hx-get="{where}"' in content
    assert "data-finished" not in content
    assert tagged("hero") == 0
    for _turn in range(60):  # each of a few seconds; one is enough where nothing else runs
        tasks.run_bulk_action(str(deed.pk))
    content = sign_in(member).get(where, headers=SCRIPT).content.decode()
    assert "300 tagged “hero”" in content
    assert "hx-get" not in content  # a finished part asks no more
    assert tagged("hero") == 300


def test_all_that_a_search_finds_is_acted_on(do, member, enter):
    enter(5, prompt="a red fox")
    enter(2, prompt="a hen")
    content = do("like", all="1", search="q=fox").content.decode()
    assert "5 favourites more" in content


def test_more_than_a_thousand_may_be_chosen_by_hand(do, enter):
    assert do("like", [uuid.uuid4() for _ in range(1_500)]).status_code == 200


def test_pictures_are_put_into_a_collection_and_taken_out(do, member, enter):
    images = enter(2)
    posters = organise_service.make_collection(member=member, name="Posters", visibility=Visibility.TEAM)
    assert "2 put into “Posters”" in do("", images, collect=str(posters.pk)).content.decode()
    assert posters.collected.count() == 2
    assert "2 taken out of “Posters”" in do("", images, take_out=str(posters.pk)).content.decode()
    assert posters.collected.count() == 0


def test_a_collection_is_made_while_collecting(do, member, enter):
    content = do("collect", enter(2), name="Spring <b>", visibility="private").content.decode()
    assert "2 put into “Spring &lt;b&gt;”" in content
    made = Collection.objects.get()
    assert (made.visibility, made.owner, made.collected.count()) == ("private", member, 2)


def test_enter_in_a_field_never_means_the_trash(do, member, enter):
    images = enter(1)
    assert "tagged" in do("", images, tag="hero").content.decode()
    assert "put into" in do("", images, name="Posters").content.decode()
    assert not Image.objects.exclude(trashed_at=None).exists()


@pytest.mark.parametrize(
    ("act", "fields"),
    [
        ("tag", {"tag": ""}),
        ("tag", {"tag": "a, b"}),
        ("tag", {"tag": "x" * 5_000}),
        ("untag", {"tag": "\0"}),
        ("collect", {"collect": "nonsense"}),
        ("collect", {"collect": "00000000-0000-4000-8000-000000000000"}),
        ("collect", {"name": ""}),
        ("take_out", {"argument": "\0"}),
        ("trash", {"image": "nonsense"}),
        ("trash", {"image": []}),
        ("restore", {"image": ["\0"]}),
    ],
)
def test_what_cannot_be_done_says_why(do, member, enter, act, fields):
    answer = do(act, enter(1), **fields)
    assert answer.status_code == 422
    assert "data-failed" in answer.content.decode()
    assert not Deed.objects.exists()
    assert not Collection.objects.exists()


@pytest.mark.parametrize("act", ["purge", "nonsense", "\0"])
def test_an_act_that_the_page_does_not_have_is_not_found(do, enter, act):
    assert do(act, enter(1)).status_code == 404


def test_what_an_act_does_not_need_is_not_kept(do, enter):
    do("like", enter(1), argument="\0" * 500)
    assert Deed.objects.get().argument == ""


def test_without_scripts_a_page_tells_how_it_went(do, sign_in, member, enter):
    answer = do("trash", enter(1), headers={})
    assert answer.status_code == 302
    content = sign_in(member).get(answer["Location"]).content.decode()
    assert "1 in the trash" in content
    assert address("undo", member, Deed.objects.get().pk) in content
    back = sign_in(member).post(address("undo", member, Deed.objects.get().pk), follow=True)
    assert "Undone for 1 picture" in back.content.decode()
    refused = sign_in(member).post(address("deed", member), {"act": "trash"}, follow=True)
    assert "Choose some pictures first." in refused.content.decode()


def test_a_viewer_keeps_favourites_and_changes_nothing(do, viewer, member, enter):
    images = enter(1)
    assert do("like", images, by=viewer).status_code == 200
    for act, fields in (("trash", {}), ("tag", {"tag": "x"}), ("collect", {"name": "New"})):
        assert do(act, images, by=viewer, **fields).status_code == 422
    assert not Collection.objects.exists()


def test_another_teams_pictures_are_left_alone(do, stranger, enter):
    (foreign,) = enter(by=stranger)
    content = do("trash", [foreign]).content.decode()
    assert "0 in the trash" in content
    foreign.refresh_from_db()
    assert foreign.trashed_at is None


@pytest.mark.parametrize("who", ["teammate", "stranger"])
def test_anothers_deed_is_not_found(sign_in, member, enter, request, who):
    other = request.getfixturevalue(who)
    deed = bulk_service.start(member=member, act=Act.LIKE, images=[enter(1)[0].pk])
    client = sign_in(other)
    for by in (member, other):
        assert client.get(address("deed_progress", by, deed.pk)).status_code == 404
        assert client.post(address("undo", by, deed.pk)).status_code == 404


def test_what_is_still_under_way_is_not_undone(sign_in, member, enter, monkeypatch):
    monkeypatch.setattr(tasks.run_bulk_action, "apply_async", lambda *_args, **_options: None)
    images = [image.pk for image in enter(201)]
    deed = bulk_service.start(member=member, act=Act.LIKE, images=images)
    answer = sign_in(member).post(address("undo", member, deed.pk), headers=SCRIPT)
    assert answer.status_code == 422


# Collections and saved searches -------------------------------------------------------------


def test_a_collection_is_made_renamed_shown_and_deleted(sign_in, member, enter):
    client = sign_in(member)
    made = client.post(address("collections", member), {"name": "Posters", "visibility": "private"})
    row = Collection.objects.get()
    assert made["Location"].endswith(f"?collection={row.pk}")
    assert (row.name, row.visibility) == ("Posters", "private")
    client.post(address("collection", member, row.pk), {"name": "Heroes", "visibility": "team"})
    row.refresh_from_db()
    assert (row.name, row.visibility) == ("Heroes", "team")
    organise_service.collect(member=member, images=[enter(1)[0].pk], collection=row.pk)
    client.post(address("delete_collection", member, row.pk))
    assert not Collection.objects.exists()
    assert Image.objects.count() == 1


@pytest.mark.parametrize("name", ["", " \0 ", "x" * 121])
def test_a_name_that_nobody_could_use_is_refused(sign_in, member, name):
    client = sign_in(member)
    row = organise_service.make_collection(member=member, name="Posters", visibility=Visibility.TEAM)
    for where in (address("collections", member), address("collection", member, row.pk)):
        assert client.post(where, {"name": name}, follow=True).status_code == 200
    client.post(address("save_search", member), {"name": name, "search": "q=fox"})
    assert [one.name for one in Collection.objects.all()] == ["Posters"]
    assert not member.saved_searches.exists()


def test_anothers_collection_is_kept_from_changes(sign_in, member, teammate, stranger):
    shared = organise_service.make_collection(member=member, name="Shared", visibility=Visibility.TEAM)
    secret = organise_service.make_collection(member=member, name="Secret", visibility=Visibility.PRIVATE)
    theirs, foreign = sign_in(teammate), sign_in(stranger)
    for name in ("collection", "delete_collection"):
        assert theirs.post(address(name, member, shared.pk), {"name": "Mine"}).status_code == 302
        assert theirs.post(address(name, member, secret.pk), {"name": "Mine"}).status_code == 404
        assert foreign.post(address(name, member, shared.pk), {"name": "Mine"}).status_code == 404
        assert foreign.post(address(name, stranger, shared.pk), {"name": "Mine"}).status_code == 404
    assert theirs.get(address("grid", member), {"collection": secret.pk}).status_code == 404
    assert foreign.get(address("grid", stranger), {"collection": shared.pk}).status_code == 404
    assert theirs.get(address("counts", member), {"collection": secret.pk}).status_code == 404
    assert sorted(one.name for one in Collection.objects.all()) == ["Secret", "Shared"]


def test_all_collections_are_found_by_name_and_page_by_page(sign_in, member, stranger):
    organise_service.make_collection(member=stranger, name="Été foreign", visibility=Visibility.TEAM)
    for number in range(70):
        name = f"Été {number}" if number < 65 else f"Posters {number}"
        organise_service.make_collection(member=member, name=name, visibility=Visibility.TEAM)
    client, where = sign_in(member), address("collections", member)
    first = client.get(where, {"q": "ETE"})
    names = [one.name for one, _size in first.context["rows"]]
    assert names == [f"Été {number}" for number in range(64, 4, -1)]
    second = client.get(where, {"q": "ETE", "before": first.context["last"].pk})
    assert [one.name for one, _size in second.context["rows"]] == [f"Été {n}" for n in range(4, -1, -1)]
    for before in ("nonsense", uuid.uuid4(), Collection.objects.get(name="Été foreign").pk):
        assert client.get(where, {"before": before}).status_code == 404


def test_a_search_is_saved_and_forgotten(sign_in, member, teammate, stranger):
    client = sign_in(member)
    form = {"name": "Foxes", "search": "q=fox&model=ultra&nonsense=1", "visibility": "team"}
    answer = client.post(address("save_search", member), form)
    saved = member.saved_searches.get()
    assert (saved.name, saved.visibility, saved.address) == ("Foxes", "team", "q=fox&model=ultra")
    assert answer["Location"].endswith(f"?{Search(q='fox', model=('ultra',)).address()}")
    forget = address("forget_search", member, saved.pk)
    assert sign_in(teammate).post(forget).status_code == 302  # the team's, but not theirs
    assert sign_in(stranger).post(forget).status_code == 404
    assert sign_in(stranger).post(address("forget_search", stranger, saved.pk)).status_code == 404
    assert member.saved_searches.exists()
    client.post(forget)
    assert not member.saved_searches.exists()


def test_a_private_saved_search_of_another_is_not_found(sign_in, member, teammate):
    saved = organise_service.save_search(
        member=member, name="Mine", search=Search(q="a"), visibility=Visibility.PRIVATE
    )
    assert sign_in(teammate).post(address("forget_search", member, saved.pk)).status_code == 404


def test_a_viewer_makes_no_collection(sign_in, viewer):
    client = sign_in(viewer)
    where = address("collections", viewer)
    assert client.post(where, {"name": "New"})["Location"] == where
    assert (
        client.post(reverse("library:save_search", args=[viewer.team.slug]), {"name": "x"}).status_code == 403
    )
    assert not Collection.objects.exists()
