"""The library's periodic cleanup: expired trash, discarded objects, old bulk actions and zips."""

from __future__ import annotations

import logging

from generations.library.archives import service as archives_service
from generations.library.bulk import service as bulk_service
from generations.library.trash import purge as trash_purge

log = logging.getLogger(__name__)


def clean_up() -> None:
    """Delete what expired in the trash, unused start images, objects without a row, old actions and zips."""
    deleted = trash_purge.delete_expired() + trash_purge.delete_unused_uploads()
    removed = trash_purge.remove_discarded()
    forgotten = bulk_service.delete_old() + archives_service.delete_old()
    if deleted or removed or forgotten:
        log.info("library cleaned up", extra={"deleted": deleted, "removed": removed, "forgotten": forgotten})
