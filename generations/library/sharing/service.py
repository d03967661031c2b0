"""Share links: create, revoke and resolve links that show an image or a collection without an account.

A link shows the team's images and its maker's own, as its maker may see and share them at the time of each
request. What owners inherit, the private images of people who left, no link ever shows.
"""

from __future__ import annotations

import hmac
import re
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.core.signing import b62_decode, b62_encode
from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.core import signed_url
from generations.library.models import Collection, Image, ImageQuerySet, Share
from generations.teams.models import Membership, Visibility
from generations.teams.permissions import may

SALT = "generations.library.sharing"  # all existing links are signed with it: it stays
TOKEN = re.compile(r"([0-9A-Za-z]{1,22})-[0-9A-Za-z]{1,22}")  # each half encodes at most 128 bits


class LinkNotFound(Http404):
    """No link has this token, or it does not work any more; the response does not tell which."""


class Lifetime(models.TextChoices):
    """How many days a link works."""

    DAY = "1", _("1 day")
    WEEK = "7", _("7 days")
    MONTH = "30", _("30 days")
    NEVER = "never", _("Never")

    def expires_at(self) -> datetime | None:
        """When a link created now expires; None for never."""
        return None if self == Lifetime.NEVER else timezone.now() + timedelta(days=int(self.value))


# Create and revoke ----------------------------------------------------------------------


def share_image(
    *,
    member: Membership,
    image: uuid.UUID,
    lifetime: Lifetime = Lifetime.WEEK,
    shows_prompt: bool = False,
) -> Share:
    """Create a link to an image that the member may share. Raises Image.DoesNotExist."""
    target = shareable_images(member).get(pk=image)
    return _create(member, lifetime, image=target, shows_prompt=shows_prompt)


def share_collection(
    *,
    member: Membership,
    collection: uuid.UUID,
    lifetime: Lifetime = Lifetime.WEEK,
    shows_prompt: bool = False,
) -> Share:
    """Create a link to a collection that the member may share. Raises Collection.DoesNotExist."""
    target = shareable_collections(member).get(pk=collection)
    return _create(member, lifetime, collection=target, shows_prompt=shows_prompt)


def shareable_images(member: Membership) -> ImageQuerySet:
    """The images to which the member may create links."""
    return _without_inherited(member) if may(member, "share") else Image.objects.none()


def shareable_collections(member: Membership) -> QuerySet[Collection]:
    """The collections to which the member may create links."""
    return Collection.objects.visible_to(member) if may(member, "share") else Collection.objects.none()


def _create(member: Membership, lifetime: Lifetime, **target: object) -> Share:
    return Share.objects.create(
        team_id=member.team_id, maker=member, expires_at=Lifetime(lifetime).expires_at(), **target
    )


def revoke(*, member: Membership, share: uuid.UUID) -> bool:
    """Revoke a link; False if it was revoked before. Raises Share.DoesNotExist if the member may not."""
    row = revocable_links(member).get(pk=share)
    return Share.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=Now()) == 1


def revocable_links(member: Membership) -> QuerySet[Share]:
    """The links that the member may revoke: their own; curators may revoke all of the team's."""
    makers = Q() if may(member, "curate") else Q(maker=member)
    return Share.objects.filter(makers, team=member.team_id)


def active() -> Q:
    """A condition for links that are neither revoked nor expired."""
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


# URL and token --------------------------------------------------------------------------


def share_url(share: Share) -> str:
    """The URL of a link. It is computed from the id and the secret key, and stored nowhere."""
    return f"{settings.PUBLIC_URL}{reverse('share:page', args=[token(share.pk)])}"


def token(share: uuid.UUID, secret: str | None = None) -> str:
    """The token of a link: its id and a signature, so that reading the table gives nobody a working link."""
    signature = int.from_bytes(signed_url.sign(SALT, share.bytes, secret), "big")
    return f"{b62_encode(share.int)}-{b62_encode(signature)}"


def verified_id(value: str) -> uuid.UUID:
    """The id in a token with a valid signature. Raises LinkNotFound."""
    if not (match := TOKEN.fullmatch(value)):
        raise LinkNotFound
    try:
        share = uuid.UUID(int=b62_decode(match[1]))
    except ValueError as error:
        raise LinkNotFound from error
    if not any(hmac.compare_digest(value, token(share, secret)) for secret in signed_url.secrets()):
        raise LinkNotFound
    return share


# Resolve --------------------------------------------------------------------------------


def find(value: str) -> Share:
    """The active link of a token, with its image or collection. Raises LinkNotFound."""
    rows = Share.objects.select_related("maker__team", "maker__user", "collection")
    share = rows.filter(active(), pk=verified_id(value)).first()
    if share is None or not share.maker.is_current or not may(share.maker, "share"):
        raise LinkNotFound
    if share.collection_id:
        if not Collection.objects.visible_to(share.maker).filter(pk=share.collection_id).exists():
            raise LinkNotFound
    elif (image := visible_images(share).first()) is None:
        raise LinkNotFound
    else:
        share.image = image
    return share


def visible_images(share: Share) -> ImageQuerySet:
    """The images that the link shows now, newest first: those of its target that its maker may share."""
    visible = shareable_images(share.maker)
    if share.collection_id:
        return visible.filter(collection_images__collection=share.collection_id).order_by("-pk")
    return visible.filter(shares=share.pk)


def _without_inherited(member: Membership) -> ImageQuerySet:
    """What the member sees without the private images of others, which only owners see, by inheritance."""
    return Image.objects.visible_to(member).filter(Q(visibility=Visibility.TEAM) | Q(owner=member.pk))


def count_view(share: Share) -> None:
    """Add one to the link's number of views."""
    Share.objects.filter(pk=share.pk).update(views=F("views") + 1, viewed_at=Now())
