"""Share links as members see them: what each shows, whether it works, and whose URL the member may read."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, Subquery, UUIDField
from django.utils import timezone

from generations.library.models import Collection, Image, Share, ShareImage
from generations.library.sharing import service as sharing_service
from generations.teams.models import Membership

LINKS_IN_DIALOG = 3


@dataclass(frozen=True)
class ShareRow:
    """A link, and what the member who reads the list may know of it."""

    share: Share
    image: Image | None  # of a selection the newest; None if the member may not see it
    collection: Collection | None
    count: int  # how many images of a selection the member sees
    url: str  # "" if the link shows what the member may not see
    is_working: bool  # it shows something at this moment
    is_mine: bool

    @property
    def is_ended(self) -> bool:
        """Revoked or expired."""
        expired = self.share.expires_at is not None and self.share.expires_at <= timezone.now()
        return expired or self.share.revoked_at is not None


def page(member: Membership, *, ended: bool, after: uuid.UUID | None = None, size: int) -> list[Share]:
    """The next links that the member may revoke, newest first: the active ones, or those that ended.

    `after` is the last link of the page before. Raises Share.DoesNotExist if the member may not revoke it.
    """
    active = sharing_service.active()
    rows = sharing_service.revocable_links(member).filter(~active if ended else active)
    if after:
        last = sharing_service.revocable_links(member).get(pk=after)
        earlier = Q(created_at__lt=last.created_at) | Q(pk__lt=last.pk)
        rows = rows.filter(earlier, created_at__lte=last.created_at)
    rows = rows.select_related("maker__team", "maker__user")
    return list(rows.order_by("-created_at", "-pk")[:size])


def links_to(member: Membership, *, image: uuid.UUID | None, collection: uuid.UUID | None) -> list[Share]:
    """The member's own newest active links to an image or to a collection."""
    own = Share.objects.filter(sharing_service.active(), maker=member, image=image, collection=collection)
    newest = own.select_related("maker__team", "maker__user").order_by("-created_at", "-pk")
    return list(newest[:LINKS_IN_DIALOG])


def rows(member: Membership, shares: list[Share]) -> list[ShareRow]:
    """The links as the member may see them, with a fixed number of queries."""
    chosen = _selections(member, shares)
    pks = {each.pk: each.image_id or chosen.get(each.pk, (0, None))[1] for each in shares}
    images = Image.objects.visible_to(member).in_bulk([pk for pk in pks.values() if pk])
    collections = Collection.objects.visible_to(member).in_bulk(
        [each.collection_id for each in shares if each.collection_id]
    )
    working = _working(shares)
    return [
        ShareRow(
            share=share,
            image=images.get(pks[share.pk]) if pks[share.pk] else None,
            collection=collections.get(share.collection_id) if share.collection_id else None,
            count=chosen.get(share.pk, (0, None))[0],
            # A link to another member's collection shows images that this member keeps private.
            url=sharing_service.share_url(share)
            if share.maker_id == member.pk or share.image_id in images
            else "",
            is_working=share.pk in working,
            is_mine=share.maker_id == member.pk,
        )
        for share in shares
    ]


def _selections(member: Membership, shares: list[Share]) -> dict[uuid.UUID, tuple[int, uuid.UUID | None]]:
    """How many images of each selection the member sees, and the newest of them; no query without any."""
    selections = [share.pk for share in shares if share.is_selection]
    if not selections:
        return {}
    visible = ShareImage.objects.filter(
        Exists(Image.objects.visible_to(member).filter(pk=OuterRef("image"))), share=OuterRef("pk")
    )
    counted = visible.order_by().values("share").annotate(count=Count("pk")).values("count")
    newest = visible.order_by("-image").values("image")[:1]
    rows = Share.objects.filter(pk__in=selections).annotate(
        shown=Subquery(counted, output_field=IntegerField()),
        newest=Subquery(newest, output_field=UUIDField()),
    )
    return {row.pk: (row.shown or 0, row.newest) for row in rows}


def _working(shares: list[Share]) -> set[uuid.UUID]:
    """The ids of those links whose makers may share the target."""
    makers = {share.maker for share in shares if share.maker.is_current}
    visible = reduce(or_, (Q(maker=maker) & _is_shareable_by(maker) for maker in makers), Q(pk=None))
    rows = Share.objects.filter(visible, pk__in=[share.pk for share in shares])
    return set(rows.values_list("pk", flat=True))


def _is_shareable_by(maker: Membership) -> Q:
    """EXISTS, not IN: else the database would collect everything that the maker may share."""
    shareable = sharing_service.shareable_images(maker)
    images = shareable.filter(pk=OuterRef("image"))
    selected = ShareImage.objects.filter(Exists(shareable.filter(pk=OuterRef("image"))), share=OuterRef("pk"))
    collections = sharing_service.shareable_collections(maker).filter(pk=OuterRef("collection"))
    return Q(Exists(images)) | Q(Exists(collections)) | Q(Exists(selected))
