"""Links as the team reads them: what each shows, whether it works, and who may be told its address."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from generations.library.models import Collection, Image, Share
from generations.library.sharing import service as sharing_service

if TYPE_CHECKING:
    from generations.teams.models import Membership


@dataclass(frozen=True)
class Link:
    """One link, and what of it the member who reads may know."""

    share: Share
    image: Image | None  # none if the member may not see it
    collection: Collection | None
    address: str  # "" if what it shows is not the member's to see
    shows: bool  # to whoever has the link, at this moment
    is_mine: bool

    @property
    def is_over(self) -> bool:
        """Taken back or expired, for good."""
        expired = self.share.expires_at is not None and self.share.expires_at <= timezone.now()
        return expired or self.share.revoked_at is not None


def page(member: Membership, *, over: bool, after: uuid.UUID | None = None, size: int) -> list[Share]:
    """The next links that the member may take back, newest first: those that last, or those that are over.

    `after` is the link that the page before ended with; Share.DoesNotExist if it is not the member's to know.
    """
    lasting = sharing_service.lasting()
    found = sharing_service.links(member).filter(~lasting if over else lasting)
    if after:
        last = sharing_service.links(member).get(pk=after)
        earlier = Q(created_at__lt=last.created_at) | Q(pk__lt=last.pk)
        found = found.filter(earlier, created_at__lte=last.created_at)
    known = found.select_related("maker__team", "maker__user")
    return list(known.order_by("-created_at", "-pk")[:size])


def to(member: Membership, *, image: uuid.UUID | None, collection: uuid.UUID | None) -> list[Share]:
    """The member's own links to one thing that last, the newest first."""
    mine = Share.objects.filter(sharing_service.lasting(), maker=member, image=image, collection=collection)
    return list(mine.select_related("maker__team", "maker__user").order_by("-created_at", "-pk")[:3])


def described(member: Membership, shares: list[Share]) -> list[Link]:
    """The links, as the member may know them; as many questions for a hundred as for one."""
    images = Image.objects.visible_to(member).in_bulk([each.image_id for each in shares if each.image_id])
    collections = Collection.objects.visible_to(member).in_bulk(
        [each.collection_id for each in shares if each.collection_id]
    )
    showing = _showing(shares)
    return [
        Link(
            share=share,
            image=images.get(share.image_id) if share.image_id else None,
            collection=collections.get(share.collection_id) if share.collection_id else None,
            # Through somebody else's collection one would see what that person keeps private.
            address=sharing_service.address(share)
            if share.maker_id == member.pk or share.image_id in images
            else "",
            shows=share.pk in showing,
            is_mine=share.maker_id == member.pk,
        )
        for share in shares
    ]


def _showing(shares: list[Share]) -> set[uuid.UUID]:
    """Those of the links whose makers see what they lead to."""
    makers = {share.maker for share in shares if share.maker.is_current}
    sees = reduce(or_, (Q(maker=maker) & (_sees(maker)) for maker in makers), Q(pk=None))
    return set(Share.objects.filter(sees, pk__in=[share.pk for share in shares]).values_list("pk", flat=True))


def _sees(maker: Membership) -> Q:
    """Asked of each link by itself: the database would else collect all that the maker sees."""
    return Q(Exists(Image.objects.visible_to(maker).filter(pk=OuterRef("image")))) | Q(
        Exists(Collection.objects.visible_to(maker).filter(pk=OuterRef("collection")))
    )
