"""Whether a thumbnail's signed URL still opens: its session, its membership, and its image.

A query for each thumbnail would cost more than the rest of it, so answers are up to SECONDS old, and asked
for once for all thumbnails of a page. For that long a URL that was revoked still opens.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar, cast

from django.db.models import F
from django.utils import timezone

from generations.core import db_connections
from generations.library.delivery import thumbnails
from generations.library.models import DiscardedObject, Image
from generations.library.storage import keys as storage_keys
from generations.teams.models import Visibility
from generations.teams.sessions import service as sessions_service

T = TypeVar("T")
SECONDS = 5.0
MAX_KNOWN = 10_000  # answers; then they are forgotten
MAX_WITHDRAWN = 20_000  # thumbnails of one team; beyond it each image is looked up
SINCE = timedelta(hours=2, minutes=5)  # no URL is valid for longer than two hours

_known: dict[str, tuple[float, object]] = {}


def role_in(session: str, member: int) -> str:
    """The role of a current membership; "" unless the session with that key is valid and of its user."""
    return _recent(f"session/{session}/{member}", lambda: sessions_service.role_in(session, member=member))


def is_withdrawn(team: str, image: uuid.UUID, size: str) -> bool:
    """Whether the team's image may be in the trash, private or deleted, so that it has to be looked up."""
    keys = _recent(f"withdrawn/{team}", lambda: _withdrawn(team))
    return len(keys) >= MAX_WITHDRAWN or storage_keys.thumbnail_key(image=image, size=size) in keys


def forget() -> None:
    """Forget all answers."""
    _known.clear()


def _withdrawn(team: str) -> frozenset[str]:
    """The keys of thumbnails that somebody may see no more who has a valid URL of them.

    Their image was trashed, made private or deleted, or is private and its owner, whose images the team's
    owners saw, has come back.
    """
    since = timezone.now() - SINCE
    images = Image.objects.filter(team__slug=team).values_list("pk", flat=True)
    came_back = images.filter(owner__joined_at__gt=since, created_at__lt=F("owner__joined_at"))
    # A union, not OR: each part has an index of its own.
    withdrawn = images.filter(trashed_at__gt=since).union(
        images.filter(hidden_at__gt=since), came_back.filter(visibility=Visibility.PRIVATE), all=True
    )
    deleted = DiscardedObject.objects.filter(key__startswith="thumbnails/", discarded_at__gt=since)
    return frozenset(
        storage_keys.thumbnail_key(image=image, size=size)
        for image in withdrawn[:MAX_WITHDRAWN]
        for size in thumbnails.WIDTHS
    ) | frozenset(deleted.values_list("key", flat=True)[:MAX_WITHDRAWN])


def _recent(about: str, ask: Callable[[], T]) -> T:
    """The answer to a question, at most SECONDS old; threads that ask at once share it."""
    until, answer = _known.get(about, (0.0, None))
    if time.monotonic() < until:
        return cast("T", answer)
    return thumbnails.single_flight(about, lambda: _asked(about, ask))


def _asked(about: str, ask: Callable[[], T]) -> T:
    began, answer = time.monotonic(), ask()
    db_connections.release_connections()
    if len(_known) >= MAX_KNOWN:
        _known.clear()
    _known[about] = (began + SECONDS, answer)
    return answer
