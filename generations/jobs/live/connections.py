"""Who is behind an open page: signed in by the session's cookie, and looked at again while it is open."""

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
from django.utils.crypto import constant_time_compare

from generations.teams.models import Membership

UNREAD = 100  # events that a page may fall behind


@dataclass(eq=False)
class Page:
    """One open page of one person in one team."""

    user: int
    team: int
    member: int
    session: str
    seal: str = ""  # the session's proof of the password: another password makes another
    unread: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(UNREAD))

    def tell(self, message: bytes) -> None:
        """Queue a message; a page that reads too slowly is closed, and asks again."""
        if self.unread.full():
            self.close()
        else:
            self.unread.put_nowait(message)

    def close(self) -> None:
        """Let the page's stream end, without what it has not read."""
        while not self.unread.empty():
            self.unread.get_nowait()
        self.unread.put_nowait(None)


def sign_in(cookies: str, team: str) -> Page | None:
    """Whose page it is, by its session cookie; None if nobody's, or not a member's."""
    try:
        key = parse_cookie(cookies)[settings.SESSION_COOKIE_NAME]
        session = SessionStore(key)
        user, seal = int(session[SESSION_KEY]), str(session[HASH_SESSION_KEY])
        members = Membership.objects.select_related("team", "user")
        member = members.filter(user=user, team__slug=team).first()
        if member is None or member.user_id is None or not _may_look(member, seal):
            return None
        return Page(member.user_id, member.team_id, member.pk, key, seal)
    except (KeyError, ValueError):
        return None
    finally:
        connection.close()


def still_allowed(pages: list[Page]) -> set[Page]:
    """Those whose session and membership still hold."""
    try:
        sessions = Session.objects.filter(
            session_key__in={page.session for page in pages}, expire_date__gt=timezone.now()
        )
        keys = set(sessions.values_list("session_key", flat=True))
        members = Membership.objects.select_related("team", "user").in_bulk({page.member for page in pages})
        return {page for page in pages if page.session in keys and _may_look(members[page.member], page.seal)}
    finally:
        connection.close()


def _may_look(member: Membership, seal: str) -> bool:
    """Whether the person is still in the team, and the session from after the last change of password."""
    if member.user is None or not member.is_current:
        return False
    seals = (member.user.get_session_auth_hash(), *member.user.get_session_auth_fallback_hash())
    return any(constant_time_compare(seal, valid) for valid in seals)
