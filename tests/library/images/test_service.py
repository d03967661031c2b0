"""Titles, visibility and the trash: who may change which images."""

import pytest

from generations.library.images import service as images_service
from generations.library.models import DiscardedObject, Image
from generations.library.trash import purge as trash_purge
from generations.teams.models import Visibility
from tests.library.conftest import pks


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


def test_a_purged_image_leaves_its_objects_to_be_removed(member, make_image):
    fox = make_image()
    assert trash_purge.purge(member=member, images=pks(fox)) == []  # not in the trash
    images_service.trash(member=member, images=pks(fox))
    assert trash_purge.purge(member=member, images=pks(fox)) == pks(fox)
    assert not Image.objects.exists()
    assert DiscardedObject.objects.filter(key=fox.key).exists()
    assert DiscardedObject.objects.filter(key__startswith="thumbnails/").count() == 2
