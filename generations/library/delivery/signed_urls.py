"""Signed URLs of thumbnails: for one member, for one to two hours. Verifying one needs no database query."""

from __future__ import annotations

import time
import uuid
from functools import lru_cache

from django.urls import reverse

from generations.core import signed_url
from generations.library.models import Image
from generations.teams.models import Membership

HOUR = 3600
SALT = "generations.library.tickets"  # URLs that were made before an upgrade are signed with it: it stays
ANY_IMAGE = uuid.UUID(int=0)


def thumbnail_url(image: Image, size: str, member: Membership) -> str:
    """The member's URL of a thumbnail, valid in this hour and the next."""
    team = member.team.slug
    signature = _signature(team=team, image=image.pk, size=size, member=member.pk, hour=_current_hour())
    before, after = _path(team, size)
    return f"{before}{image.pk}{after}?ticket={member.pk}.{signature}"


def verify(ticket: str, *, team: str, image: uuid.UUID, size: str) -> int | None:
    """The primary key of the membership that the URL was signed for; None if it is not valid now.

    `ticket` is the query parameter: the membership, a dot, the signature.
    """
    number, _dot, signature = ticket.partition(".")
    member, hour = signed_url.parse_number(number), _current_hour()
    if member is None:
        return None
    values = (
        _signed_value(team=team, image=image, size=size, member=member, hour=hour - ago) for ago in (0, 1)
    )
    return member if any(signed_url.is_valid(signature, SALT, value) for value in values) else None


@lru_cache(maxsize=512)
def _path(team: str, size: str) -> tuple[str, str]:
    """The URL's path before and after the image's id; cached, since a page has 120 of them."""
    before, _id, after = reverse("library:thumbnail", args=[team, ANY_IMAGE, size]).partition(str(ANY_IMAGE))
    return before, after


def _current_hour() -> int:
    return int(time.time() // HOUR)


def _signed_value(*, team: str, image: uuid.UUID, size: str, member: int, hour: int) -> str:
    return "/".join((team, str(image), size, str(member), str(hour)))


def _signature(*, team: str, image: uuid.UUID, size: str, member: int, hour: int) -> str:
    value = _signed_value(team=team, image=image, size=size, member=member, hour=hour)
    return signed_url.sign(SALT, value).hex()
