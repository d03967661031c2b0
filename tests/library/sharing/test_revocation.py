"""Each way in which a link stops working, and invalid tokens."""

import random
import string
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from generations.library.images import service as images_service
from generations.library.models import Share
from generations.library.organise import service as organise_service
from generations.library.sharing import service as sharing_service
from generations.library.trash import purge as trash_purge
from generations.office.members import service as members_service
from generations.teams import membership
from generations.teams.models import Membership, Role, Visibility
from tests.library.share_links import answers, collect, every_address, path_of

# Each way in which it dies ------------------------------------------------------------


def revoked(member, teammate, image, share):
    assert sharing_service.revoke(member=member, share=share.pk)


def expired(member, teammate, image, share):
    Share.objects.filter(pk=share.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


def trashed(member, teammate, image, share):
    assert images_service.trash(member=teammate, images=[image.pk])


def made_private(member, teammate, image, share):
    assert images_service.set_visibility(member=teammate, images=[image.pk], visibility=Visibility.PRIVATE)


def purged(member, teammate, image, share):
    trashed(member, teammate, image, share)
    trash_purge.purge(member=teammate, images=[image.pk])


def maker_left(member, teammate, image, share):
    membership.leave(member)


def maker_made_viewer(member, teammate, image, share):
    members_service.set_role(member=member, role=Role.VIEWER)


def maker_closed(member, teammate, image, share):
    type(member.user).objects.filter(pk=member.user_id).update(is_active=False)


def team_closed(member, teammate, image, share):
    type(member.team).objects.filter(pk=member.team_id).update(deactivated_at=timezone.now())


@pytest.mark.parametrize(
    "end",
    [
        revoked,
        expired,
        trashed,
        made_private,
        purged,
        maker_left,
        maker_made_viewer,
        maker_closed,
        team_closed,
    ],
)
def test_a_link_to_an_image_stops_working_at_once(visitor, member, teammate, make_image, end):
    image = make_image(teammate)
    share = sharing_service.share_image(member=member, image=image.pk)
    assert answers(visitor, share, image) == {200}  # and its thumbnails are made
    end(member, teammate, image, share)
    assert answers(visitor, share, image) == {404}


@pytest.mark.parametrize("end", [revoked, expired, maker_left, maker_made_viewer, maker_closed, team_closed])
def test_a_link_to_a_collection_stops_working_at_once(visitor, member, teammate, make_image, collection, end):
    image = make_image(teammate)
    collect(collection, image)
    share = sharing_service.share_collection(member=member, collection=collection.pk)
    assert answers(visitor, share, image) == {200}
    end(member, teammate, image, share)
    assert answers(visitor, share, image) == {404}


@pytest.mark.parametrize("end", [trashed, made_private, purged])
def test_an_image_leaves_a_shared_collection_at_once(visitor, member, teammate, make_image, collection, end):
    image, other = make_image(teammate), make_image()
    collect(collection, image, other)
    share = sharing_service.share_collection(member=member, collection=collection.pk)
    assert answers(visitor, share, image) == {200}
    end(member, teammate, image, share)
    assert {visitor.get(path).status_code for path in every_address(share, image)[1:]} == {404}
    assert str(image.pk) not in visitor.get(path_of(share)).content.decode()
    assert answers(visitor, share, other) == {200}


def test_a_link_of_another_member_stops_working_when_the_collection_is_made_private(
    visitor, member, teammate, make_image, collection
):
    image = make_image()
    collect(collection, image)
    share = sharing_service.share_collection(member=teammate, collection=collection.pk)
    assert answers(visitor, share, image) == {200}
    organise_service.update_collection(
        member=member, collection=collection, name="Spring", visibility=Visibility.PRIVATE
    )
    assert answers(visitor, share, image) == {404}
    mine = sharing_service.share_collection(member=member, collection=collection.pk)
    assert answers(visitor, mine, image) == {200}
    organise_service.delete_collection(member=member, collection=collection)
    assert answers(visitor, mine, image) == {404}


def test_an_image_removed_from_a_collection_is_not_shown(visitor, member, make_image, collection):
    image = make_image()
    collect(collection, image)
    share = sharing_service.share_collection(member=member, collection=collection.pk)
    organise_service.remove_from_collection(member=member, images=[image.pk], collection=collection.pk)
    assert visitor.get(path_of(share, image.pk, "original")).status_code == 404


def test_a_link_to_a_restored_image_works_again(visitor, member, make_image):
    image = make_image()
    share = sharing_service.share_image(member=member, image=image.pk)
    images_service.trash(member=member, images=[image.pk])
    assert answers(visitor, share, image) == {404}
    images_service.restore(member=member, images=[image.pk])
    assert answers(visitor, share, image) == {200}


def test_a_link_shows_less_when_its_makers_role_sees_less(visitor, member, make_image):
    image = make_image(visibility="private")
    share = sharing_service.share_image(member=member, image=image.pk)
    assert answers(visitor, share, image) == {200}
    Membership.objects.filter(pk=member.pk).update(role=Role.VIEWER)
    assert answers(visitor, share, image) == {404}


# Tokens ------------------------------------------------------------


def test_a_changed_token_is_not_found(visitor, member, make_image):
    share = sharing_service.share_image(member=member, image=make_image().pk)
    right = sharing_service.token(share.pk)
    dice, letters = random.Random(7), string.ascii_letters + string.digits
    tried = {"".join(dice.choices(f"{letters}-._~", k=dice.randint(1, 60))) for _ in range(250)}
    tried |= {f"{right.split('-')[0]}-{''.join(dice.choices(letters, k=22))}" for _ in range(100)}
    tried |= {sharing_service.token(uuid.uuid4()) for _ in range(100)}
    for place in range(len(right)):
        other = dice.choice(letters.replace(right[place], ""))
        tried |= {right[:place] + other + right[place + 1 :], right[:place] + right[place + 1 :]}
    tried |= {
        right.upper(),
        right.lower(),
        right.swapcase(),
        right[::-1],
        f"{right}x",
        f"x{right}",
        f"0{right}",
    }
    assert len(tried) >= 500
    assert {found for found in tried - {right} if _is_found(found)} == set()


def _is_found(token):
    try:
        return sharing_service.find(token)
    except sharing_service.LinkNotFound:
        return None


@pytest.mark.parametrize(
    "token",
    [
        *("-", "a-", "-a", "%00", "é", "\N{ARABIC-INDIC DIGIT ONE}-1", "%ED%A0%80", f"{'z' * 22}-{'z' * 22}"),
        *(
            "1" * 5_000,
            "0-0",
            "a-b-c",
            "..",
            "%0a",
            "1-1%0a",
            "🦊",
            f"{uuid.UUID(int=7, version=4)}",
            "' OR 1=1--",
        ),
    ],
)
def test_a_malformed_token_is_not_found(visitor, db, token):
    for path in ("/", f"/{uuid.uuid4()}/", f"/{uuid.uuid4()}/original", f"/{uuid.uuid4()}/small"):
        assert visitor.get(f"/s/{token}{path}").status_code == 404


def test_the_signature_depends_on_the_secret_key(member, make_image, settings):
    share = sharing_service.share_image(member=member, image=make_image().pk)
    said = sharing_service.token(share.pk)
    settings.SECRET_KEY = "another installation with the same table"
    assert sharing_service.token(share.pk) != said
    with pytest.raises(sharing_service.LinkNotFound):
        sharing_service.find(said)


@pytest.mark.parametrize("size", ["640", "Small", "original.png", "%00", "small%2F"])
def test_an_unknown_thumbnail_size_is_not_found(visitor, member, make_image, size):
    image = make_image()
    share = sharing_service.share_image(member=member, image=image.pk)
    assert visitor.get(path_of(share, image.pk, size)).status_code == 404
