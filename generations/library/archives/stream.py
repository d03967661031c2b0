"""Stream a member's zip, and record its progress and its outcome in the archive."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial
from time import monotonic
from zipfile import ZIP_STORED

from django.db import Error as DatabaseError
from django.utils.translation import override
from zipstream import ZipStream

from generations.library.archives import entries as archives_entries
from generations.library.archives import service as archives_service
from generations.library.archives.service import Plan
from generations.library.delivery.zip_stream import Packer, in_db_thread
from generations.library.imaging import convert as imaging_convert

log = logging.getLogger(__name__)

REPORT_EVERY = 1.0  # seconds, while images are sent
REPORT_AT_LEAST_EVERY = 5.0  # seconds, while a slow client holds up the next image


class ArchiveStream:
    """One zip that is being sent, and its progress."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.packer = Packer(
            plan.entries,
            load=partial(archives_entries.load_images, plan.member),
            read=partial(archives_entries.read_entry, output=plan.output),
        )

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.chunks()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the zip, once; progress and outcome are recorded in the archive."""
        reporting = asyncio.create_task(self._report())
        try:
            async with aclosing(self.packer.chunks()) as chunks:
                async for chunk in chunks:
                    yield chunk
            await in_db_thread(archives_service.finish, self.plan.archive, self.packer.packed)
        except BaseException as error:  # also when the client disconnects, which cancels or closes this
            reporting.cancel()
            await self._fail(error)
            raise
        finally:
            reporting.cancel()

    async def _report(self) -> None:
        """Record the progress, and regularly that this process is alive."""
        reported, reported_at = 0, monotonic()
        while True:
            await asyncio.sleep(REPORT_EVERY)
            if self.packer.packed == reported and monotonic() - reported_at < REPORT_AT_LEAST_EVERY:
                continue
            reported, reported_at = self.packer.packed, monotonic()
            try:
                await in_db_thread(archives_service.report_progress, self.plan.archive, reported)
            except DatabaseError as error:
                log.warning("The progress of a zip could not be recorded: %s", error)

    async def _fail(self, error: BaseException) -> None:
        packed = self.packer.packed
        with override(self.plan.language):
            reason = archives_entries.failure_reason(error)
        log.info("A zip failed after %s images: %s", packed, reason)
        try:
            await in_db_thread(archives_service.fail, self.plan.archive, reason, packed=packed)
        except DatabaseError as database_error:  # it counts as abandoned after a while
            log.warning("The failure of a zip could not be recorded: %s", database_error)


def content_length(plan: Plan) -> int | None:
    """The size of the zip in bytes; None if the images are converted, so that it is not known beforehand."""
    if plan.output.format != imaging_convert.STORED:
        return None
    zipped = ZipStream(compress_type=ZIP_STORED, sized=True)
    for entry in plan.entries:
        zipped.add(iter(()), entry.name, size=entry.size)
    return len(zipped)
