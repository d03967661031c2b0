"""Tags, collections, favourites, titles, visibility and trash: who may change what, and what was changed."""

import uuid
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from generations.library.bulk import actions as bulk_actions
from generations.library.bulk import service as bulk_service
from generations.library.bulk import worker as bulk_worker
from generations.library.images import service as images_service
from generations.library.models import BulkAction, Collection, DiscardedObject, Image, ImageTag, Tag
from generations.library.organise import service as organise_service
from generations.library.trash import purge as trash_purge
from generations.teams.models import Membership, Role, Visibility
from tests.office.crowd import together


@pytest.fixture
def curator(make_member):
    return make_member("ana", role=Role.ADMINISTRATOR)


def pks(*images):
    return [image.pk for image in images]


# Tags ------------------------------------------------------------------------------


def test_a_tag_is_one_however_it_is_written(member, make_image):
    fox, hen = make_image(), make_image()
    assert organise_service.tag(member=member, images=pks(fox), name="  Hero  Shot ") == pks(fox)
    assert sorted(organise_service.tag(member=member, images=pks(fox, hen), name="hero shot")) == pks(hen)
    assert [tag.name for tag in Tag.objects.all()] == ["Hero Shot"]
    assert organise_service.untag(member=member, images=pks(fox, hen), name="HERO SHOT") == sorted(
        pks(fox, hen)
    )
    assert organise_service.untag(member=member, images=pks(fox), name="unknown") == []


@pytest.mark.parametrize("name", ["", "  ", "a, b", "x" * 61, "\0"])
def test_a_tag_that_nobody_could_use_is_refused(member, make_image, name):
    with pytest.raises(organise_service.InvalidName):
        organise_service.tag(member=member, images=pks(make_image()), name=name)


def test_an_image_carries_a_limited_number_of_tags(member, make_image, monkeypatch):
    monkeypatch.setattr(organise_service, "MAX_TAGS", 2)
    fox = make_image()
    for name in ("a", "b", "c"):
        organise_service.tag(member=member, images=pks(fox), name=name)
    assert sorted(ImageTag.objects.values_list("tag__name", flat=True)) == ["a", "b"]


def test_tags_are_completed_the_most_used_first(member, stranger, make_image):
    fox, hen = make_image(), make_image()
    organise_service.tag(member=member, images=pks(fox), name="Heron")
    organise_service.tag(member=member, images=pks(fox, hen), name="hero")
    organise_service.tag(member=stranger, images=pks(make_image(stranger)), name="hermit")
    assert [(tag.name, tag.uses) for tag in organise_service.complete_tag(member, "HER")] == [
        ("hero", 2),
        ("Heron", 1),
    ]


def test_only_what_is_seen_is_tagged(member, teammate, stranger, make_image):
    private, foreign = make_image(visibility="private"), make_image(stranger)
    assert organise_service.tag(member=teammate, images=pks(private, foreign), name="hero") == []


# Collections and favourites -------------------------------------------------------------


def test_a_collection_holds_an_image_once(member, teammate, make_image):
    shared = organise_service.create_collection(member=member, name=" Spring ", visibility=Visibility.TEAM)
    fox = make_image()
    add, remove = organise_service.add_to_collection, organise_service.remove_from_collection
    assert add(member=teammate, images=pks(fox), collection=shared.pk) == pks(fox)
    assert add(member=member, images=pks(fox), collection=shared.pk) == []
    assert remove(member=member, images=pks(fox), collection=shared.pk) == pks(fox)
    assert (shared.name, shared.collection_images.count()) == ("Spring", 0)


def test_a_private_collection_is_there_for_its_owner_alone(member, teammate, stranger, make_image):
    mine = organise_service.create_collection(member=member, name="Mine", visibility=Visibility.PRIVATE)
    for other in (teammate, stranger):
        with pytest.raises(Collection.DoesNotExist):
            organise_service.add_to_collection(member=other, images=[], collection=mine.pk)


def test_a_collection_is_changed_by_its_owner_and_the_teams_by_curators(member, teammate, curator):
    shared = organise_service.create_collection(member=member, name="Ours", visibility=Visibility.TEAM)
    mine = organise_service.create_collection(member=member, name="Mine", visibility=Visibility.PRIVATE)
    with pytest.raises(organise_service.NotOwner):
        organise_service.delete_collection(member=teammate, collection=shared)
    with pytest.raises(organise_service.NotOwner):
        organise_service.update_collection(
            member=curator, collection=mine, name="x", visibility=Visibility.TEAM
        )
    organise_service.update_collection(
        member=curator, collection=shared, name="New", visibility=Visibility.TEAM
    )
    assert Collection.objects.get(pk=shared.pk).name == "New"
    organise_service.delete_collection(member=member, collection=shared)
    assert not Collection.objects.filter(pk=shared.pk).exists()


def test_a_favourite_is_mine_alone(member, teammate, make_image):
    fox = make_image()
    assert organise_service.like(member=member, images=pks(fox)) == pks(fox)
    assert organise_service.like(member=member, images=pks(fox)) == []
    assert organise_service.unlike(member=teammate, images=pks(fox)) == []
    assert organise_service.unlike(member=member, images=pks(fox)) == pks(fox)


# Titles, visibility, trash -----------------------------------------------------------------


def test_images_are_changed_by_their_owner_and_by_curators(member, teammate, curator, make_image):
    fox = make_image()
    assert not images_service.set_title(member=teammate, image=fox.pk, title="Mine now")
    assert images_service.set_title(member=curator, image=fox.pk, title=" A \n fox\0 ")
    fox.refresh_from_db()
    assert fox.title == "A fox"
    with pytest.raises(images_service.TitleTooLong):
        images_service.set_title(member=member, image=fox.pk, title="x" * 201)
    assert images_service.trash(member=teammate, images=pks(fox)) == []
    assert images_service.trash(member=curator, images=pks(fox)) == pks(fox)


def test_only_the_owner_decides_who_sees_an_image(member, curator, make_image):
    fox = make_image()
    private = {"images": pks(fox), "visibility": Visibility.PRIVATE}
    assert images_service.set_visibility(member=curator, **private) == []
    assert images_service.set_visibility(member=member, **private) == pks(fox)
    assert images_service.set_visibility(member=member, **private) == []


def test_the_trash_is_seen_by_its_owners_and_by_curators(member, teammate, curator, stranger, make_image):
    fox, private = make_image(), make_image(visibility="private")
    images_service.trash(member=member, images=pks(fox, private))
    assert set(images_service.in_trash(member)) == {fox, private}
    assert set(images_service.in_trash(curator)) == {fox}
    assert not images_service.in_trash(teammate).exists()
    assert not images_service.in_trash(stranger).exists()
    assert images_service.restore(member=teammate, images=pks(fox)) == []
    assert images_service.restore(member=member, images=pks(fox, private)) == sorted(pks(fox, private))


def test_what_is_deleted_for_good_leaves_its_objects_to_be_removed(member, make_image):
    fox = make_image()
    assert trash_purge.purge(member=member, images=pks(fox)) == []  # not in the trash
    images_service.trash(member=member, images=pks(fox))
    assert trash_purge.purge(member=member, images=pks(fox)) == pks(fox)
    assert not Image.objects.exists()
    assert DiscardedObject.objects.filter(key=fox.key).exists()
    assert DiscardedObject.objects.filter(key__startswith="thumbnails/").count() == 2


# Deeds: many at once ---------------------------------------------------------------------------


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
def long_deed(member, make_image, monkeypatch):
    """A action on five images that takes two at a time, and that nobody has begun."""
    monkeypatch.setattr(bulk_worker, "BATCH_SIZE", 2)
    return BulkAction.objects.create(
        team=member.team, member=member, kind="like", images=[str(make_image().pk) for _ in range(5)]
    )


def test_a_deed_of_a_lost_worker_is_carried_on_where_it_stopped(long_deed, monkeypatch):
    monkeypatch.setattr(bulk_worker, "TIME_SLICE", -1)  # it lets others have their turn after each step
    assert bulk_worker.process(long_deed.pk)
    long_deed.refresh_from_db()
    assert (long_deed.done, len(long_deed.changed), long_deed.ended_at) == (2, 2, None)
    BulkAction.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    assert not bulk_worker.process(long_deed.pk)  # somebody is at it
    assert bulk_worker.stalled() == []
    BulkAction.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert bulk_worker.stalled() == [long_deed.pk]
    while bulk_worker.process(long_deed.pk):
        pass
    long_deed.refresh_from_db()
    assert (long_deed.done, len(long_deed.changed)) == (5, 5)
    assert long_deed.ended_at


def test_who_left_the_team_changes_nothing_any_more(long_deed, member):
    Membership.objects.filter(pk=member.pk).update(ended_at=timezone.now())
    bulk_worker.process(long_deed.pk)
    long_deed.refresh_from_db()
    assert (long_deed.done, long_deed.changed) == (5, [])


@pytest.mark.django_db(transaction=True)
def test_what_many_do_at_once_to_an_image_is_found_afterwards(member, make_image):
    fox = make_image()
    together(*(partial(organise_service.tag, member=member, images=pks(fox), name=f"t{n}") for n in range(8)))
    assert ImageTag.objects.filter(image=fox).count() == 8
    fox.entry.refresh_from_db()
    assert all(f"§g{tag} " in fox.entry.document for tag in Tag.objects.values_list("pk", flat=True))


@pytest.mark.django_db(transaction=True)
def test_what_several_do_at_once_is_done_once(member, teammate, make_image):
    fox = make_image()
    calls = [
        partial(organise_service.tag, member=who, images=pks(fox), name="hero") for who in (member, teammate)
    ]
    calls += [partial(organise_service.like, member=member, images=pks(fox)) for _ in range(4)]
    calls += [partial(images_service.set_visibility, member=member, images=pks(fox), visibility="private")]
    changed = together(*calls * 2)
    assert ImageTag.objects.filter(image=fox).count() == 1
    assert sum(len(images) for images in changed) == 3
