"""The sessions of a user: listing them with address, browser and last use, and ending them.

allauth creates a UserSession at sign-in. Its own tracking would update the row at every request, thumbnails
included, so `touch` updates it instead, for pages of a team, once in five minutes per session and process.
`LAST_WRITTEN` holds the times of this process's updates; losing it costs one extra update.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from generations.teams import user_agent
from generations.teams.models import Membership, User

WRITE_INTERVAL = timedelta(minutes=5)
MAX_SESSIONS = 50  # per user; allauth reads each of them at every sign-in
MAX_LAST_WRITTEN = 10_000  # entries; then the dictionary is cleared

LAST_WRITTEN: dict[str, datetime] = {}


@dataclass(frozen=True)
class ListedSession:
    """One session of a user, as the page of sessions shows it."""

    pk: int
    browser: str
    address: str
    since: datetime
    seen_at: datetime
    is_this: bool


def touch(request: HttpRequest) -> None:
    """Record that the request's session was used, unless that was recorded in the last five minutes."""
    session = getattr(request, "session", None)
    key, now = session.session_key if session else None, timezone.now()
    if key is None or (key in LAST_WRITTEN and LAST_WRITTEN[key] > now - WRITE_INTERVAL):
        return
    if len(LAST_WRITTEN) >= MAX_LAST_WRITTEN:
        LAST_WRITTEN.clear()
    LAST_WRITTEN[key] = now
    address = get_adapter().get_client_ip(request)
    if not UserSession.objects.filter(session_key=key).update(last_seen_at=now, ip=address):
        UserSession.objects.create_from_request(request)


@transaction.atomic
def enforce_session_limit(user: User) -> None:
    """Make room for one more session: delete expired ones, and end those unused longest beyond the limit."""
    alive = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    rows = UserSession.objects.filter(user=user)
    rows.exclude(session_key__in=alive).delete()
    _end(list(rows.order_by("-last_seen_at", "-pk")[MAX_SESSIONS - 1 :]))


def list_sessions(user: User, *, this: str | None) -> list[ListedSession]:
    """Return the user's live sessions, that with the key `this` first, then the last used; in two queries."""
    rows = list(UserSession.objects.filter(user=user).order_by("-last_seen_at", "-pk"))
    alive = _alive(user, [row.session_key for row in rows])
    listed = [
        ListedSession(
            pk=row.pk,
            browser=user_agent.describe(row.user_agent),
            address=row.ip,
            since=row.created_at,
            seen_at=row.last_seen_at,
            is_this=row.session_key == this,
        )
        for row in rows
        if row.session_key in alive
    ]
    return sorted(listed, key=lambda each: not each.is_this)


@transaction.atomic
def end(user: User, *, pk: int) -> bool:
    """End a session of the user; False if it had ended. Event streams of its open pages close within 30 s."""
    return _end(list(UserSession.objects.filter(user=user, pk=pk))) == 1


@transaction.atomic
def end_others(user: User, *, this: str | None) -> int:
    """End all sessions of the user except that with the key `this`; return how many."""
    return _end(list(UserSession.objects.filter(user=user).exclude(session_key=this)))


def role_in(key: str, *, member: int) -> str:
    """The role of that membership, which is current; "" unless the session with that key is its user's."""
    row = Membership.objects.select_related("team", "user").filter(pk=member).first()
    session = Session.objects.filter(session_key=key, expire_date__gt=timezone.now()).first()
    if row is None or row.user is None or session is None or not row.is_current:
        return ""
    data = session.get_decoded()
    if data.get(SESSION_KEY) != str(row.user_id):
        return ""
    return row.role if has_valid_hash(row.user, data.get(HASH_SESSION_KEY, "")) else ""


def has_valid_hash(user: User, auth_hash: str) -> bool:
    """Whether a session of the user, with this HASH_SESSION_KEY, is newer than their last new password."""
    hashes = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return any(constant_time_compare(auth_hash, valid) for valid in hashes)


def delete_expired() -> int:
    """Delete expired sessions, and what is known of sessions that are gone; return how many of these."""
    SessionStore.clear_expired()
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    old = UserSession.objects.filter(
        created_at__lt=timezone.now() - WRITE_INTERVAL
    )  # not of a sign-in just now
    count, _by_model = old.filter(~Exists(alive)).delete()
    return int(count)


def _end(rows: list[UserSession]) -> int:
    Session.objects.filter(session_key__in=[row.session_key for row in rows]).delete()
    UserSession.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _alive(user: User, keys: list[str]) -> set[str]:
    """Return the keys of sessions that are neither expired nor older than the last password change."""
    sessions = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return {
        session.session_key
        for session in sessions
        if has_valid_hash(user, session.get_decoded().get(HASH_SESSION_KEY, ""))
    }
