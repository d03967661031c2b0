"""Tags, collections and favourites: who may change what, and what is changed."""

from functools import partial

import pytest

from generations.library.images import service as images_service
from generations.library.models import Collection, ImageTag, Tag
from generations.library.organise import service as organise_service
from generations.teams.models import Visibility
from tests.concurrency import run_concurrently
from tests.library.conftest import pks

# Tags ------------------------------------------------------------------------------


def test_a_tag_is_the_same_in_any_case_and_width(member, make_image):
    fox, hen = make_image(), make_image()
    assert organise_service.tag(member=member, images=pks(fox), name="  Hero  Shot ") == pks(fox)
    assert sorted(organise_service.tag(member=member, images=pks(fox, hen), name="hero shot")) == pks(hen)
    assert [tag.name for tag in Tag.objects.all()] == ["Hero Shot"]
    assert organise_service.untag(member=member, images=pks(fox, hen), name="HERO SHOT") == sorted(
        pks(fox, hen)
    )
    assert organise_service.untag(member=member, images=pks(fox), name="unknown") == []


@pytest.mark.parametrize("name", ["", "  ", "a, b", "x" * 61, "\0"])
def test_an_invalid_tag_is_refused(member, make_image, name):
    with pytest.raises(organise_service.InvalidName):
        organise_service.tag(member=member, images=pks(make_image()), name=name)


def test_an_image_has_a_limited_number_of_tags(member, make_image, monkeypatch):
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


def test_uses_are_counted_up_to_a_bound_and_then_the_latest_decide(member, make_image, monkeypatch):
    monkeypatch.setattr(organise_service, "MAX_RANKED", 6)  # of the first tag only the last use
    images = [make_image().pk for _ in range(4)]
    for name, tagged in (("first", images), ("second", images[:3]), ("third", images[:2])):
        organise_service.tag(member=member, images=tagged, name=name)
    for counted, expected in {
        None: [("first", 4), ("second", 3), ("third", 2)],
        1: [("second", 2), ("third", 2), ("first", 2)],
        2: [("second", 3), ("first", 3), ("third", 2)],
        4: [("first", 4), ("second", 3), ("third", 2)],
    }.items():
        found = organise_service.complete_tag(member, "", counted=counted)
        assert [(tag.name, tag.uses) for tag in found] == expected


def test_only_visible_images_are_tagged(member, teammate, stranger, make_image):
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


def test_a_private_collection_is_visible_to_its_owner_alone(member, teammate, stranger, make_image):
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


def test_a_favourite_belongs_to_one_member(member, teammate, make_image):
    fox = make_image()
    assert organise_service.like(member=member, images=pks(fox)) == pks(fox)
    assert organise_service.like(member=member, images=pks(fox)) == []
    assert organise_service.unlike(member=teammate, images=pks(fox)) == []
    assert organise_service.unlike(member=member, images=pks(fox)) == pks(fox)


# At the same moment ----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_concurrent_changes_to_an_image_are_all_in_the_index(member, make_image):
    fox = make_image()
    run_concurrently(
        *(partial(organise_service.tag, member=member, images=pks(fox), name=f"t{n}") for n in range(8))
    )
    assert ImageTag.objects.filter(image=fox).count() == 8
    fox.entry.refresh_from_db()
    assert all(f"§g{tag} " in fox.entry.document for tag in Tag.objects.values_list("pk", flat=True))


@pytest.mark.django_db(transaction=True)
def test_the_same_change_made_concurrently_happens_once(member, teammate, make_image):
    fox = make_image()
    calls = [
        partial(organise_service.tag, member=who, images=pks(fox), name="hero") for who in (member, teammate)
    ]
    calls += [partial(organise_service.like, member=member, images=pks(fox)) for _ in range(4)]
    calls += [partial(images_service.set_visibility, member=member, images=pks(fox), visibility="private")]
    changed = run_concurrently(*calls * 2)
    assert ImageTag.objects.filter(image=fox).count() == 1
    assert sum(len(images) for images in changed) == 3
