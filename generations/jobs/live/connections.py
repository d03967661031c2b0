"""Open pages: authenticated by the session cookie, and checked again while they are open."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import parse_cookie
from django.utils import timezone

from generations.core import asgi
from generations.teams.models import Membership
from generations.teams.sessions import service as sessions_service

MAX_UNREAD = 100  # messages; a page that is further behind is closed

# For everything that live pages and waiting calls ask of the database.
live_threads = asgi.Threads("live", 8)


@dataclass(eq=False)
class Page:
    """One open page of one user in one team."""

    user: int
    team: int
    member: int
    session: str
    auth_hash: str = ""  # Django's session auth hash, which changes with the password
    unread: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(MAX_UNREAD))

    def send(self, message: bytes) -> None:
        """Queue a message; a page that reads too slowly is closed, and reconnects."""
        if self.unread.full():
            self.close()
        else:
            self.unread.put_nowait(message)

    def close(self) -> None:
        """End the page's stream and drop its unread messages."""
        while not self.unread.empty():
            self.unread.get_nowait()
        self.unread.put_nowait(None)


def sign_in(cookies: str, team: str) -> Page | None:
    """The page of the user with that session cookie; None if it is not valid or they are not in the team."""
    try:
        key = parse_cookie(cookies)[settings.SESSION_COOKIE_NAME]
        session = SessionStore(key)
        user, auth_hash = int(session[SESSION_KEY]), str(session[HASH_SESSION_KEY])
        members = Membership.objects.select_related("team", "user")
        member = members.filter(user=user, team__slug=team).first()
        if member is None or member.user_id is None or not _is_valid(member, auth_hash):
            return None
        return Page(member.user_id, member.team_id, member.pk, key, auth_hash)
    except (KeyError, ValueError):
        return None
    finally:
        connection.close()


def still_valid(pages: list[Page]) -> set[Page]:
    """The pages whose session and membership are still valid."""
    try:
        sessions = Session.objects.filter(
            session_key__in={page.session for page in pages}, expire_date__gt=timezone.now()
        )
        keys = set(sessions.values_list("session_key", flat=True))
        members = Membership.objects.select_related("team", "user").in_bulk({page.member for page in pages})
        return {
            page for page in pages if page.session in keys and _is_valid(members[page.member], page.auth_hash)
        }
    finally:
        connection.close()


def _is_valid(member: Membership, auth_hash: str) -> bool:
    """Whether the membership is current, and the session newer than the last change of password."""
    if member.user is None or not member.is_current:
        return False
    return sessions_service.has_valid_hash(member.user, auth_hash)
