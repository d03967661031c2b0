"""Tickets for thumbnails: who may see which one within this hour. Checking one asks no database."""

from __future__ import annotations

import hmac
import time
import uuid
from functools import lru_cache
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.crypto import salted_hmac

if TYPE_CHECKING:
    from generations.library.models import Image
    from generations.teams.models import Membership

HOUR = 3600
SALT = "generations.library.tickets"
NOBODY = uuid.UUID(int=0)


def thumbnail_url(image: Image, size: str, member: Membership) -> str:
    """Where the member finds the thumbnail for an hour, and during the hour after it."""
    team = member.team.slug
    seal = _seal(team=team, image=image.pk, size=size, member=member.pk, hour=_hour())
    before, after = _address(team, size)
    return f"{before}{image.pk}{after}?ticket={member.pk}.{seal}"


def holder(ticket: str, *, team: str, image: uuid.UUID, size: str) -> int | None:
    """The primary key of the membership that the ticket was made for; None if it is not valid now."""
    name, _dot, seal = ticket.partition(".")
    if not (name.isascii() and name.isdecimal() and len(name) < 20 and seal.isascii()):
        return None
    hours = _hour(), _hour() - 1
    seals = (_seal(team=team, image=image, size=size, member=int(name), hour=hour) for hour in hours)
    return int(name) if any(hmac.compare_digest(seal, valid) for valid in seals) else None


@lru_cache(maxsize=512)
def _address(team: str, size: str) -> tuple[str, str]:
    """What stands before and after the image's name: a page has 120 such addresses."""
    before, _name, after = reverse("library:thumbnail", args=[team, NOBODY, size]).partition(str(NOBODY))
    return before, after


def _hour() -> int:
    """The number of the present hour."""
    return int(time.time() // HOUR)


def _seal(*, team: str, image: uuid.UUID, size: str, member: int, hour: int) -> str:
    """128 bits that only this portal can compute."""
    words = "/".join((team, str(image), size, str(member), str(hour)))
    return salted_hmac(SALT, words, algorithm="sha256").hexdigest()[:32]
