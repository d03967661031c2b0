"""Bulk actions: what they change, undo, validation, and workers that are lost."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from generations.library.bulk import actions as bulk_actions
from generations.library.bulk import service as bulk_service
from generations.library.bulk import worker as bulk_worker
from generations.library.models import BulkAction, Image
from generations.library.organise import service as organise_service
from generations.teams.models import Membership, Visibility
from tests.library.conftest import pks


def test_a_deed_says_what_it_changed_and_is_undone_once(member, teammate, make_image):
    mine, theirs = make_image(), make_image(teammate)
    action = bulk_service.start(member=member, kind=bulk_actions.Trash, images=pks(mine, theirs))
    assert (action.done, action.changed, action.unchanged) == (2, [str(mine.pk)], 1)
    back = bulk_service.undo(member=member, action=action)
    assert back.changed == [str(mine.pk)]
    assert bulk_service.undo(member=member, action=action) == back
    assert Image.objects.filter(trashed_at=None).count() == 2
    with pytest.raises(bulk_actions.InvalidBulkAction):
        bulk_service.undo(member=teammate, action=action)


@pytest.mark.parametrize(
    ("kind", "argument"),
    [
        (bulk_actions.Tag, "hero"),
        (bulk_actions.Like, ""),
        (bulk_actions.KeepPrivate, ""),
        (bulk_actions.Collect, None),
    ],
)
def test_every_act_can_be_taken_back(member, make_image, kind, argument):
    if argument is None:
        made = organise_service.create_collection(member=member, name="x", visibility=Visibility.TEAM)
        argument = str(made.pk)
    fox = make_image()
    entry = fox.entry.document
    action = bulk_service.start(member=member, kind=kind, images=pks(fox), argument=argument)
    assert action.changed == [str(fox.pk)]
    bulk_service.undo(member=member, action=action)
    fox.entry.refresh_from_db()
    assert (fox.entry.document, fox.entry.visibility) == (entry, "team")


@pytest.mark.parametrize(
    ("kind", "argument"),
    [
        (bulk_actions.Tag, "a,b"),
        (bulk_actions.Collect, "x"),
        (bulk_actions.Collect, str(uuid.uuid4())),
        (bulk_actions.TakeOut, ""),
    ],
)
def test_a_deed_that_makes_no_sense_is_refused(member, make_image, kind, argument):
    with pytest.raises(bulk_actions.InvalidBulkAction):
        bulk_service.start(member=member, kind=kind, images=pks(make_image()), argument=argument)
    assert not BulkAction.objects.exists()


def test_a_deed_has_images_and_not_too_many(member):
    for images in ([], [uuid.uuid4()] * 10_001):
        with pytest.raises(bulk_actions.InvalidBulkAction):
            bulk_service.start(member=member, kind=bulk_actions.Like, images=images)


def test_a_viewer_likes_and_does_nothing_else(viewer, make_image):
    fox = make_image()
    assert bulk_service.start(member=viewer, kind=bulk_actions.Like, images=pks(fox)).changed == [str(fox.pk)]
    for kind in (bulk_actions.Tag, bulk_actions.Trash, bulk_actions.ShowTeam):
        with pytest.raises(bulk_actions.InvalidBulkAction):
            bulk_service.start(member=viewer, kind=kind, images=pks(fox), argument="x")


@pytest.fixture
def unstarted(member, make_image, monkeypatch):
    """An action on five images, processed two at a time, that no worker has claimed."""
    monkeypatch.setattr(bulk_worker, "BATCH_SIZE", 2)
    return BulkAction.objects.create(
        team=member.team, member=member, kind="like", images=[str(make_image().pk) for _ in range(5)]
    )


def test_a_deed_of_a_lost_worker_is_carried_on_where_it_stopped(unstarted, monkeypatch):
    monkeypatch.setattr(bulk_worker, "TIME_SLICE", -1)  # it lets others have their turn after each step
    assert bulk_worker.process(unstarted.pk)
    unstarted.refresh_from_db()
    assert (unstarted.done, len(unstarted.changed), unstarted.ended_at) == (2, 2, None)
    BulkAction.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    assert not bulk_worker.process(unstarted.pk)  # somebody is at it
    assert bulk_worker.stalled() == []
    BulkAction.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert bulk_worker.stalled() == [unstarted.pk]
    while bulk_worker.process(unstarted.pk):
        pass
    unstarted.refresh_from_db()
    assert (unstarted.done, len(unstarted.changed)) == (5, 5)
    assert unstarted.ended_at


def test_who_left_the_team_changes_nothing_any_more(unstarted, member):
    Membership.objects.filter(pk=member.pk).update(ended_at=timezone.now())
    bulk_worker.process(unstarted.pk)
    unstarted.refresh_from_db()
    assert (unstarted.done, unstarted.changed) == (5, [])
