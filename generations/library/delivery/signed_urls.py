"""Signed URLs of thumbnails: for one session of one member, for one to two hours.

The signature covers the key of the session, which is in the session cookie alone, so that a URL by itself
opens nothing. It covers too which images the member's role saw then, so that a change of the role is noticed.
Verifying one needs no database query.
"""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from django.urls import reverse

from generations.core import signed_url
from generations.library.models import Image
from generations.teams.models import Membership, Role

HOUR = 3600
SALT = "generations.library.tickets"  # URLs that were made before an upgrade are signed with it: it stays
ANY_IMAGE = uuid.UUID(int=0)
# Roles that see other images than members do (`library.models.visible_to`), as they stand in the signature.
SIGHTS = {Role.OWNER: "-owner", Role.VIEWER: "-viewer"}
SIGHT_OF_MEMBERS = ""  # and of URLs that were made before an upgrade
NO_SESSION = ""  # of a URL that `sign_for_session` signs again; until then it opens nothing
URL = re.compile(
    r"(?P<path>/t/(?P<team>[-\w]+)/thumbnail/(?P<image>[-0-9a-f]{36})/(?P<size>\w+))"
    r"\?ticket=(?P<ticket>[0-9]{1,19}\.[0-9a-f]{32})",
    re.ASCII,
)


@dataclass(frozen=True)
class Seer:
    """For whom a URL was signed: a membership by its primary key, and what its role saw then."""

    member: int
    sight: str


def sight_of(role: str) -> str:
    """Which images a role sees; the same text for roles that see the same."""
    return SIGHTS.get(Role(role), SIGHT_OF_MEMBERS)


def thumbnail_url(image: Image, size: str, member: Membership, session: str = NO_SESSION) -> str:
    """The member's URL of a thumbnail, valid in this hour and the next with the cookie of that session."""
    team = member.team.slug
    signature = _signature(
        team=team,
        image=image.pk,
        size=size,
        member=member.pk,
        hour=_current_hour(),
        sight=sight_of(member.role),
        session=session,
    )
    before, after = _path(team, size)
    return f"{before}{image.pk}{after}?ticket={member.pk}.{signature}"


def sign_for_session(html: bytes, session: str) -> bytes:
    """Sign the URLs in HTML that was rendered without a session again, for the session with that key.

    Only what this portal signed is signed again: a prompt may hold the text of any URL.
    """

    def signed(found: re.Match[str]) -> str:
        about = {"team": found["team"], "image": found["image"], "size": found["size"]}
        seer = _verify(found["ticket"], session=NO_SESSION, **about)
        if seer is None:
            return found[0]
        signature = _signature(
            member=seer.member, hour=_current_hour(), sight=seer.sight, session=session, **about
        )
        return f"{found['path']}?ticket={seer.member}.{signature}"

    return URL.sub(signed, html.decode()).encode()


def verify(ticket: str, *, team: str, image: uuid.UUID, size: str, session: str) -> Seer | None:
    """For whom the URL was signed; None if it is not valid now.

    `ticket` is the query parameter: the membership, a dot, the signature. `session` is the session cookie.
    """
    if session == NO_SESSION:
        return None
    return _verify(ticket, team=team, image=image, size=size, session=session)


def _verify(ticket: str, *, team: str, image: object, size: str, session: str) -> Seer | None:
    """For whom a ticket was made that this portal signed in this hour or the last one; else None."""
    number, _dot, signature = ticket.partition(".")
    member, hour = signed_url.parse_number(number), _current_hour()
    if member is None:
        return None
    about: dict[str, Any] = {"team": team, "image": image, "size": size, "member": member, "session": session}
    for ago, sight in product((0, 1), (SIGHT_OF_MEMBERS, *SIGHTS.values())):
        if signed_url.is_valid(signature, SALT, _signed_value(hour=hour - ago, sight=sight, **about)):
            return Seer(member, sight)
    return None


@lru_cache(maxsize=512)
def _path(team: str, size: str) -> tuple[str, str]:
    """The URL's path before and after the image's id; cached, since a page has 120 of them."""
    before, _id, after = reverse("library:thumbnail", args=[team, ANY_IMAGE, size]).partition(str(ANY_IMAGE))
    return before, after


def _current_hour() -> int:
    return int(time.time() // HOUR)


def _signed_value(
    *, team: str, image: object, size: str, member: int, hour: int, sight: str, session: str
) -> str:
    value = "/".join((team, str(image), size, f"{member}{sight}", str(hour)))
    return value if session == NO_SESSION else f"{value}/{session}"


def _signature(
    *,
    team: str,
    image: object,
    size: str,
    member: int,
    hour: int,
    sight: str = SIGHT_OF_MEMBERS,
    session: str = NO_SESSION,
) -> str:
    value = _signed_value(
        team=team, image=image, size=size, member=member, hour=hour, sight=sight, session=session
    )
    return signed_url.sign(SALT, value).hex()
