"""Bulk actions from the library's page: inline, by a worker, undone, and never on other members' images."""

import uuid

import pytest

from generations.library import tasks, wake
from generations.library.bulk import actions as bulk_actions
from generations.library.bulk import service as bulk_service
from generations.library.models import BulkAction, Collection, Image, ImageTag
from generations.library.organise import service as organise_service
from generations.teams.models import Visibility
from tests.library.conftest import address

SCRIPT = {"HX-Request": "true"}


@pytest.fixture
def do(sign_in, member):
    """Submit the selection bar's form: do("trash", images, name=…)."""

    def press(act, images=(), *, by=member, headers=SCRIPT, **fields):
        form = {"act": act, "image": [str(getattr(image, "pk", image)) for image in images]} | fields
        return sign_in(by).post(address("deed", by), form, headers=headers)

    return press


def tagged(name):
    return ImageTag.objects.filter(tag__name=name).count()


def test_a_few_images_are_tagged_within_the_request(do, member, enter):
    answer = do("tag", enter(3), tag="hero")
    content = answer.content.decode()
    assert "3 tagged “hero”" in content
    assert "data-finished" in content
    assert "<html" not in content
    assert tagged("hero") == 3


def test_unchanged_images_are_counted_and_shown_on_the_page_again(do, member, teammate, enter):
    mine, theirs = enter(1), enter(2, by=teammate)
    content = do("trash", [*mine, *theirs]).content.decode()
    assert "1 in the trash" in content
    assert "2 were left alone: not yours to change" in content
    left = content.split('data-unchanged="')[1].split('"')[0].split()
    assert sorted(left) == sorted(str(image.pk) for image in theirs)


def test_trashing_can_be_undone_once(do, sign_in, member, enter):
    do("trash", enter(2))
    action = BulkAction.objects.get()
    undo = address("undo", member, action.pk)
    content = sign_in(member).post(undo, headers=SCRIPT).content.decode()
    assert "Undone for 2 pictures" in content
    assert 'data-undoes="trash"' in content
    assert not Image.objects.exclude(trashed_at=None).exists()
    sign_in(member).post(undo, headers=SCRIPT)
    assert BulkAction.objects.count() == 2


def test_a_worker_tags_three_hundred_while_the_page_polls(do, sign_in, member, enter, monkeypatch):
    monkeypatch.setattr(wake, "run_bulk_action", lambda action: None)
    content = do("tag", enter(300), tag="hero").content.decode()
    action = BulkAction.objects.get()
    where = address("deed_progress", member, action.pk)
    assert 'role="progressbar"' in content
    assert f'hx-get="{where}"' in content
    assert "data-finished" not in content
    assert tagged("hero") == 0
    for _slice in range(60):  # each of a few seconds; one is enough where nothing else runs
        tasks.run_bulk_action(str(action.pk))
    content = sign_in(member).get(where, headers=SCRIPT).content.decode()
    assert "300 tagged “hero”" in content
    assert "hx-get" not in content  # a finished fragment polls no more
    assert tagged("hero") == 300


def test_an_action_applies_to_all_results_of_a_search(do, member, enter):
    enter(5, prompt="a red fox")
    enter(2, prompt="a hen")
    content = do("like", all="1", search="q=fox").content.decode()
    assert "5 added to favourites" in content


def test_more_than_a_thousand_images_can_be_selected_by_hand(do, enter):
    assert do("like", [uuid.uuid4() for _ in range(1_500)]).status_code == 200


def test_pictures_are_put_into_a_collection_and_taken_out(do, member, enter):
    images = enter(2)
    posters = organise_service.create_collection(member=member, name="Posters", visibility=Visibility.TEAM)
    assert "2 added to “Posters”" in do("", images, collect=str(posters.pk)).content.decode()
    assert posters.collection_images.count() == 2
    assert "2 removed from “Posters”" in do("", images, take_out=str(posters.pk)).content.decode()
    assert posters.collection_images.count() == 0


def test_a_collection_is_made_while_collecting(do, member, enter):
    content = do("collect", enter(2), name="Spring <b>", visibility="private").content.decode()
    assert "2 added to “Spring &lt;b&gt;”" in content
    made = Collection.objects.get()
    assert (made.visibility, made.owner, made.collection_images.count()) == ("private", member, 2)


def test_enter_in_a_field_never_means_the_trash(do, member, enter):
    images = enter(1)
    assert "tagged" in do("", images, tag="hero").content.decode()
    assert "added to" in do("", images, name="Posters").content.decode()
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
def test_a_refused_action_says_why(do, member, enter, act, fields):
    answer = do(act, enter(1), **fields)
    assert answer.status_code == 422
    assert "data-failed" in answer.content.decode()
    assert not BulkAction.objects.exists()
    assert not Collection.objects.exists()


@pytest.mark.parametrize("act", ["purge", "nonsense", "\0"])
def test_an_action_that_the_page_does_not_offer_is_not_found(do, enter, act):
    assert do(act, enter(1)).status_code == 404


def test_an_argument_that_an_action_does_not_need_is_not_stored(do, enter):
    do("like", enter(1), argument="\0" * 500)
    assert BulkAction.objects.get().argument == ""


def test_without_scripts_a_page_shows_the_result(do, sign_in, member, enter):
    answer = do("trash", enter(1), headers={})
    assert answer.status_code == 302
    content = sign_in(member).get(answer["Location"]).content.decode()
    assert "1 in the trash" in content
    assert address("undo", member, BulkAction.objects.get().pk) in content
    back = sign_in(member).post(address("undo", member, BulkAction.objects.get().pk), follow=True)
    assert "Undone for 1 picture" in back.content.decode()
    refused = sign_in(member).post(address("deed", member), {"act": "trash"}, follow=True)
    assert "Choose some pictures first." in refused.content.decode()


def test_a_viewer_marks_favourites_and_changes_nothing_else(do, viewer, member, enter):
    images = enter(1)
    assert do("like", images, by=viewer).status_code == 200
    for act, fields in (("trash", {}), ("tag", {"tag": "x"}), ("collect", {"name": "New"})):
        assert do(act, images, by=viewer, **fields).status_code == 422
    assert not Collection.objects.exists()


def test_images_of_another_team_are_not_changed(do, stranger, enter):
    (foreign,) = enter(by=stranger)
    content = do("trash", [foreign]).content.decode()
    assert "0 in the trash" in content
    foreign.refresh_from_db()
    assert foreign.trashed_at is None


@pytest.mark.parametrize("who", ["teammate", "stranger"])
def test_an_action_of_another_member_is_not_found(sign_in, member, enter, request, who):
    other = request.getfixturevalue(who)
    action = bulk_service.start(member=member, kind=bulk_actions.Like, images=[enter(1)[0].pk])
    client = sign_in(other)
    for by in (member, other):
        assert client.get(address("deed_progress", by, action.pk)).status_code == 404
        assert client.post(address("undo", by, action.pk)).status_code == 404


def test_an_action_that_has_not_ended_cannot_be_undone(sign_in, member, enter, monkeypatch):
    monkeypatch.setattr(wake, "run_bulk_action", lambda action: None)
    images = [image.pk for image in enter(201)]
    action = bulk_service.start(member=member, kind=bulk_actions.Like, images=images)
    answer = sign_in(member).post(address("undo", member, action.pk), headers=SCRIPT)
    assert answer.status_code == 422
