"""Share links: create, change, revoke and resolve links that show images without an account.

A link leads to one image, to a collection (also what is added later) or to images that were selected.

A link shows the team's images and its maker's own, as its maker may see and share them at the time of each
request. What owners inherit, the private images of people who left, no link ever shows.
"""

from __future__ import annotations

import hmac
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core import signing
from django.core.signing import b62_decode, b62_encode
from django.db import models, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations.core import signed_url
from generations.library.models import Collection, Image, ImageQuerySet, Share, ShareImage
from generations.teams.models import Membership, Visibility
from generations.teams.permissions import may

SALT = "generations.library.sharing"  # all existing links are signed with it: it stays
PASSWORD_SALT = "generations.library.sharing.password"  # cookies of visitors are signed with it  # noqa: S105
MAX_SELECTED = 1_000  # images of one link; more belong into a collection
MAX_TITLE_LENGTH = 200
TOKEN = re.compile(r"([0-9A-Za-z]{1,22})-[0-9A-Za-z]{1,22}")  # each half encodes at most 128 bits


class LinkNotFound(Http404):
    """No link has this token, or it does not work any more; the response does not tell which."""


class TooManySelected(ValueError):
    """More images were selected than a link shows."""

    def __init__(self) -> None:
        text = _(
            "A link shows at most %(count)s selected pictures. Put them into a collection, and share that."
        )
        super().__init__(text % {"count": f"{MAX_SELECTED:,}"})


class Lifetime(models.TextChoices):
    """How many days a link works."""

    DAY = "1", gettext_lazy("1 day")
    WEEK = "7", gettext_lazy("7 days")
    MONTH = "30", gettext_lazy("30 days")
    NEVER = "never", gettext_lazy("Never")

    def expires_at(self) -> datetime | None:
        """When a link created now expires; None for never."""
        return None if self == Lifetime.NEVER else timezone.now() + timedelta(days=int(self.value))


# Create, change and revoke ----------------------------------------------------------------


@dataclass(frozen=True)
class Options:
    """What the maker of a link decides; an empty `password` means that it needs none."""

    lifetime: Lifetime = Lifetime.WEEK
    shows_prompt: bool = False
    title: str = ""
    password: str = ""


DEFAULT = Options()


def share_image(*, member: Membership, image: uuid.UUID, options: Options = DEFAULT) -> Share:
    """Create a link to an image that the member may share. Raises Image.DoesNotExist."""
    target = shareable_images(member).get(pk=image)
    return _create(member, options, image=target)


def share_collection(*, member: Membership, collection: uuid.UUID, options: Options = DEFAULT) -> Share:
    """Create a link to a collection that the member may share. Raises Collection.DoesNotExist."""
    target = shareable_collections(member).get(pk=collection)
    return _create(member, options, collection=target)


@transaction.atomic
def share_selection(*, member: Membership, images: Sequence[uuid.UUID], options: Options = DEFAULT) -> Share:
    """Create a link to those of the images that the member may share.

    Raises TooManySelected, and Image.DoesNotExist if there are none.
    """
    if len(images) > MAX_SELECTED:
        raise TooManySelected
    targets = list(shareable_images(member).filter(pk__in=images).values_list("pk", flat=True))
    if not targets:
        raise Image.DoesNotExist
    share = _create(member, options, is_selection=True)
    ShareImage.objects.bulk_create([ShareImage(share=share, image_id=image) for image in targets])
    return share


def change(
    *,
    member: Membership,
    share: uuid.UUID,
    title: str,
    shows_prompt: bool,
    lifetime: Lifetime | None,
    password: str | None,
) -> Share:
    """Change an active link of the member's own. Raises Share.DoesNotExist.

    None keeps the lifetime or the password; an empty password opens the link to everybody who has it.
    """
    row = changeable_links(member).get(pk=share)
    row.title, row.shows_prompt = title[:MAX_TITLE_LENGTH], shows_prompt
    if lifetime is not None:
        row.expires_at = lifetime.expires_at()
    if password is not None:
        row.password = make_password(password) if password else ""
    row.save(update_fields=["title", "shows_prompt", "expires_at", "password"])
    return row


def shareable_images(member: Membership) -> ImageQuerySet:
    """The images to which the member may create links."""
    return _without_inherited(member) if may(member, "share") else Image.objects.none()


def shareable_collections(member: Membership) -> QuerySet[Collection]:
    """The collections to which the member may create links."""
    return Collection.objects.visible_to(member) if may(member, "share") else Collection.objects.none()


def _create(member: Membership, options: Options, **target: object) -> Share:
    return Share.objects.create(
        team_id=member.team_id,
        maker=member,
        expires_at=Lifetime(options.lifetime).expires_at(),
        shows_prompt=options.shows_prompt,
        title=options.title[:MAX_TITLE_LENGTH],
        password=make_password(options.password) if options.password else "",
        **target,
    )


def revoke(*, member: Membership, share: uuid.UUID) -> bool:
    """Revoke a link; False if it was revoked before. Raises Share.DoesNotExist if the member may not."""
    row = revocable_links(member).get(pk=share)
    return Share.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=Now()) == 1


def revocable_links(member: Membership) -> QuerySet[Share]:
    """The links that the member may revoke: their own; curators may revoke all of the team's."""
    makers = Q() if may(member, "curate") else Q(maker=member)
    return Share.objects.filter(makers, team=member.team_id)


def changeable_links(member: Membership) -> QuerySet[Share]:
    """The active links that the member may change: their own, while their role lets them share."""
    own = Share.objects.filter(active(), maker=member)
    return own if may(member, "share") else own.none()


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
    return find_by_id(verified_id(value))


def find_by_id(pk: uuid.UUID) -> Share:
    """The active link with that id, which is no secret: see `find`. Raises LinkNotFound."""
    rows = Share.objects.select_related("maker__team", "maker__user", "collection")
    share = rows.filter(active(), pk=pk).first()
    if share is None or not share.maker.is_current or not may(share.maker, "share"):
        raise LinkNotFound
    if share.collection_id:
        if not Collection.objects.visible_to(share.maker).filter(pk=share.collection_id).exists():
            raise LinkNotFound
    elif share.is_selection:
        if not visible_images(share).exists():
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
    if share.is_selection:
        return visible.filter(share_images__share=share.pk).order_by("-pk")
    return visible.filter(shares=share.pk)


def _without_inherited(member: Membership) -> ImageQuerySet:
    """What the member sees without the private images of others, which only owners see, by inheritance."""
    return Image.objects.visible_to(member).filter(Q(visibility=Visibility.TEAM) | Q(owner=member.pk))


def title_of(share: Share) -> str:
    """The title of the link's page: its own, or that of what it shows; "" without any."""
    if share.title:
        return share.title
    if share.collection:
        return share.collection.name
    return share.image.title if share.image else ""


# Passwords --------------------------------------------------------------------------------


def is_password(share: Share, text: str) -> bool:
    """Whether the text is the link's password."""
    return check_password(text, share.password)


def proof(share: Share) -> str:
    """What the browser of a visitor keeps who knew the password; another password makes it worthless."""
    return signing.Signer(salt=PASSWORD_SALT).signature(_proven(share))


def is_open_to(share: Share, kept: str) -> bool:
    """Whether the link shows itself to a browser that keeps this; each does without a password."""
    if not share.password:
        return True
    try:
        signing.Signer(salt=PASSWORD_SALT).unsign(f"{_proven(share)}:{kept}")
    except signing.BadSignature:
        return False
    return True


def _proven(share: Share) -> str:
    return f"{share.pk}:{share.password}"


def count_view(share: Share) -> None:
    """Add one to the link's number of views."""
    Share.objects.filter(pk=share.pk).update(views=F("views") + 1, viewed_at=Now())
