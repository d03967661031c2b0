"""Where a person is signed in: from which address, with which browser, seen when; and signing out there.

allauth keeps a row per session at sign-in. Its own tracking would write that row at every
request, thumbnails included, so a visit is written down here instead: from the pages of a team,
once in five minutes per session and process. `LAST` is what this process wrote; losing it costs
a write.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from generations.teams import user_agent
from generations.teams.models import User

WRITTEN_EVERY = timedelta(minutes=5)
MOST = 50  # places at a time; allauth looks at each of them at every sign-in
REMEMBERED = 10_000  # sessions; then all are forgotten

LAST: dict[str, datetime] = {}


@dataclass(frozen=True)
class SignedIn:
    """One place where a person is signed in."""

    pk: int
    browser: str
    address: str
    since: datetime
    seen_at: datetime
    is_this: bool


def touch(request: HttpRequest) -> None:
    """Remember that the session was used, if that was not written down lately and there is one."""
    session = getattr(request, "session", None)
    key, now = session.session_key if session else None, timezone.now()
    if key is None or (key in LAST and LAST[key] > now - WRITTEN_EVERY):
        return
    if len(LAST) >= REMEMBERED:
        LAST.clear()
    LAST[key] = now
    address = get_adapter().get_client_ip(request)
    if not UserSession.objects.filter(session_key=key).update(last_seen_at=now, ip=address):
        UserSession.objects.create_from_request(request)


@transaction.atomic
def make_room(user: User) -> None:
    """Before one more: forget those that ended by themselves, and of too many end the longest unseen."""
    alive = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    mine = UserSession.objects.filter(user=user)
    mine.exclude(session_key__in=alive).delete()
    _end(list(mine.order_by("-last_seen_at", "-pk")[MOST - 1 :]))


def of(user: User, *, this: str | None) -> list[SignedIn]:
    """Where the person is signed in, this place first, then the last seen; in two queries."""
    rows = list(UserSession.objects.filter(user=user).order_by("-last_seen_at", "-pk"))
    alive = _alive(user, [row.session_key for row in rows])
    places = [
        SignedIn(
            pk=row.pk,
            browser=user_agent.name(row.user_agent),
            address=row.ip,
            since=row.created_at,
            seen_at=row.last_seen_at,
            is_this=row.session_key == this,
        )
        for row in rows
        if row.session_key in alive
    ]
    return sorted(places, key=lambda place: not place.is_this)


@transaction.atomic
def end(user: User, *, pk: int) -> bool:
    """Sign the person out there; False if they were not. An open page there closes within 30 s."""
    return _end(list(UserSession.objects.filter(user=user, pk=pk))) == 1


@transaction.atomic
def end_others(user: User, *, this: str | None) -> int:
    """Sign the person out everywhere but here; from how many places."""
    return _end(list(UserSession.objects.filter(user=user).exclude(session_key=this)))


def _end(rows: list[UserSession]) -> int:
    Session.objects.filter(session_key__in=[row.session_key for row in rows]).delete()
    UserSession.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _alive(user: User, keys: list[str]) -> set[str]:
    """Those that would still be let in: not expired, and from after the last change of password."""
    seals = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    sessions = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return {
        session.session_key
        for session in sessions
        if any(constant_time_compare(session.get_decoded().get(HASH_SESSION_KEY, ""), seal) for seal in seals)
    }
