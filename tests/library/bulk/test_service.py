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


def test_an_action_records_what_it_changed_and_is_undone_once(member, teammate, make_image):
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
def test_an_undone_action_leaves_images_as_they_were(member, make_image, kind, argument):
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
        (bulk_actions.Collect, str(uuid.UUID(int=7, version=4))),
        (bulk_actions.TakeOut, ""),
    ],
)
def test_an_action_with_an_invalid_argument_is_refused(member, make_image, kind, argument):
    with pytest.raises(bulk_actions.InvalidBulkAction):
        bulk_service.start(member=member, kind=kind, images=pks(make_image()), argument=argument)
    assert not BulkAction.objects.exists()


def test_an_action_needs_an_image_and_takes_at_most_ten_thousand(member):
    for images in ([], [uuid.uuid4()] * 10_001):
        with pytest.raises(bulk_actions.InvalidBulkAction):
            bulk_service.start(member=member, kind=bulk_actions.Like, images=images)


def test_a_viewer_can_mark_favourites_and_do_nothing_else(viewer, make_image):
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


def test_an_action_continues_where_a_lost_worker_stopped(unstarted, monkeypatch):
    monkeypatch.setattr(bulk_worker, "TIME_SLICE", -1)  # other tasks have their turn after each batch
    assert bulk_worker.process(unstarted.pk)
    unstarted.refresh_from_db()
    assert (unstarted.done, len(unstarted.changed), unstarted.ended_at) == (2, 2, None)
    BulkAction.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    assert not bulk_worker.process(unstarted.pk)  # another worker holds the lease
    assert bulk_worker.stalled() == []
    BulkAction.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert bulk_worker.stalled() == [unstarted.pk]
    while bulk_worker.process(unstarted.pk):
        pass
    unstarted.refresh_from_db()
    assert (unstarted.done, len(unstarted.changed)) == (5, 5)
    assert unstarted.ended_at


def test_an_action_of_a_member_who_left_changes_nothing(unstarted, member):
    Membership.objects.filter(pk=member.pk).update(ended_at=timezone.now())
    bulk_worker.process(unstarted.pk)
    unstarted.refresh_from_db()
    assert (unstarted.done, unstarted.changed) == (5, [])
