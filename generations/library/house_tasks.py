"""The doorway of housekeeping. (`tasks.py` is imported by the deeds that it would have to import.)"""

from __future__ import annotations

from celery import shared_task

from generations.library.maintenance import cleanup as maintenance_cleanup


@shared_task(name="generations.library.house_tasks.keep_house")
def keep_house() -> None:
    """Delete what lay in the trash too long, and whatever else nobody needs any more."""
    maintenance_cleanup.keep()
