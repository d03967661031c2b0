"""What is done in the library every few minutes, so that nothing stays for ever that nobody needs."""

from __future__ import annotations

import logging

from . import archives, deeds, discarding

log = logging.getLogger(__name__)


def keep() -> None:
    """Empty the trash of what lay in it too long, remove discarded objects, forget old deeds and zips."""
    deleted = discarding.delete_expired()
    removed = discarding.remove_objects()
    forgotten = deeds.forget_old() + archives.forget_old()
    if deleted or removed or forgotten:
        log.info("house kept", extra={"deleted": deleted, "removed": removed, "forgotten": forgotten})
