"""The verbs of sharing: links by which people without an account see one image, or a collection.

What a link shows is asked anew each time: what its maker may see at that moment, and nothing else.
"""

from __future__ import annotations

import hmac
import re
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.signing import b62_decode, b62_encode
from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from generations.library.models import Collection, Image, ImageQuerySet, Share
from generations.teams.permissions import may

if TYPE_CHECKING:
    from generations.teams.models import Membership

SALT = "generations.library.sharing"
SEAL = 16  # bytes
TOKEN = re.compile(r"([0-9A-Za-z]{1,22})-[0-9A-Za-z]{1,22}")  # each half says at most 128 bits


class NoSuchLink(Http404):
    """No link has this token, or it works no longer; which of both is nobody's business."""


class Lifetime(models.TextChoices):
    """For how many days a link works."""

    DAY = "1", _("1 day")
    WEEK = "7", _("7 days")
    MONTH = "30", _("30 days")
    FOR_EVER = "never", _("Never")

    def end(self) -> datetime | None:
        """When a link that is made now stops working."""
        return None if self == Lifetime.FOR_EVER else timezone.now() + timedelta(days=int(self.value))


# Making and taking back -------------------------------------------------------------


def share_image(
    *,
    member: Membership,
    image: uuid.UUID,
    lifetime: Lifetime = Lifetime.WEEK,
    shows_prompt: bool = False,
) -> Share:
    """A link to an image that the member may see and share. Raises Image.DoesNotExist."""
    shown = shareable_images(member).get(pk=image)
    return _share(member, lifetime, image=shown, shows_prompt=shows_prompt)


def share_collection(
    *,
    member: Membership,
    collection: uuid.UUID,
    lifetime: Lifetime = Lifetime.WEEK,
    shows_prompt: bool = False,
) -> Share:
    """A link to a collection that the member may see and share. Raises Collection.DoesNotExist."""
    shown = shareable_collections(member).get(pk=collection)
    return _share(member, lifetime, collection=shown, shows_prompt=shows_prompt)


def shareable_images(member: Membership) -> ImageQuerySet:
    """The images of which the member may make links."""
    return Image.objects.visible_to(member) if may(member, "share") else Image.objects.none()


def shareable_collections(member: Membership) -> QuerySet[Collection]:
    """The collections of which the member may make links."""
    return Collection.objects.visible_to(member) if may(member, "share") else Collection.objects.none()


def _share(member: Membership, lifetime: Lifetime, **shown: object) -> Share:
    return Share.objects.create(
        team_id=member.team_id, maker=member, expires_at=Lifetime(lifetime).end(), **shown
    )


def revoke(*, member: Membership, share: uuid.UUID) -> bool:
    """Let a link of the member's, for curators any of the team's, work no longer; False if it had ended.

    Raises Share.DoesNotExist.
    """
    theirs = links(member).get(pk=share)
    return Share.objects.filter(pk=theirs.pk, revoked_at=None).update(revoked_at=Now()) == 1


def links(member: Membership) -> QuerySet[Share]:
    """The links that the member may take back: their own, and for curators all of the team's."""
    theirs = Q() if may(member, "curate") else Q(maker=member)
    return Share.objects.filter(theirs, team=member.team_id)


def lasting() -> Q:
    """Neither taken back nor expired."""
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


# The address -------------------------------------------------------------------------


def address(share: Share) -> str:
    """Where the link leads. It can be told again at any time, and only by this portal."""
    return f"{settings.PUBLIC_URL}{reverse('share:page', args=[token(share.pk)])}"


def token(share: uuid.UUID) -> str:
    """The link's id, and a seal that is kept nowhere: who reads the table has no link."""
    seal = salted_hmac(SALT, share.bytes, algorithm="sha256").digest()[:SEAL]
    return f"{b62_encode(share.int)}-{b62_encode(int.from_bytes(seal, 'big'))}"


def _sealed(said: str) -> uuid.UUID:
    """The id in a token with the right seal; NoSuchLink."""
    if not (read := TOKEN.fullmatch(said)):
        raise NoSuchLink
    try:
        share = uuid.UUID(int=b62_decode(read[1]))
    except ValueError as problem:
        raise NoSuchLink from problem
    if not hmac.compare_digest(said, token(share)):
        raise NoSuchLink
    return share


# What it shows -----------------------------------------------------------------------


def find(said: str) -> Share:
    """The link of that token, with what it leads to, while it works. Raises NoSuchLink."""
    known = Share.objects.select_related("maker__team", "maker__user", "collection")
    share = known.filter(lasting(), pk=_sealed(said)).first()
    if share is None or not share.maker.is_current:
        raise NoSuchLink
    if share.collection_id:
        if not Collection.objects.visible_to(share.maker).filter(pk=share.collection_id).exists():
            raise NoSuchLink
    elif (image := pictures(share).first()) is None:
        raise NoSuchLink
    else:
        share.image = image
    return share


def pictures(share: Share) -> ImageQuerySet:
    """What the link shows now, the newest first: of what it leads to, all that its maker may see."""
    seen = Image.objects.visible_to(share.maker)
    if share.collection_id:
        return seen.filter(collection_images__collection=share.collection_id).order_by("-pk")
    return seen.filter(shares=share.pk)


def count_view(share: Share) -> None:
    """Somebody looked."""
    Share.objects.filter(pk=share.pk).update(views=F("views") + 1, viewed_at=Now())
