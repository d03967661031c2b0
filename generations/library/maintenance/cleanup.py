"""What is done in the library every few minutes, so that nothing stays for ever that nobody needs."""

from __future__ import annotations

import logging

from generations.library.archives import service as archives_service
from generations.library.bulk import service as bulk_service
from generations.library.trash import purge as trash_purge

log = logging.getLogger(__name__)


def keep() -> None:
    """Empty the trash of what lay in it too long, remove discarded objects, forget old deeds and zips."""
    deleted = trash_purge.delete_expired()
    removed = trash_purge.remove_objects()
    forgotten = bulk_service.delete_old() + archives_service.forget_old()
    if deleted or removed or forgotten:
        log.info("house kept", extra={"deleted": deleted, "removed": removed, "forgotten": forgotten})
