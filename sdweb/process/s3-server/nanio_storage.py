"""Nanio's storage, which writes the body of an object as it comes.

Each piece is hashed and written in the thread that received it, while the processor's cache has it. Nanio has
another thread write it, so that both are woken for each piece, and waits for the sync to disk in the thread
that serves all requests; here another one waits.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nanio.errors import BadDigest
from nanio.etag import StreamingMd5
from nanio.keys import validate_object_key
from nanio.storage.backend import ObjectInfo
from nanio.storage.filesystem import FilesystemStorage, _b64md5_to_hex
from nanio.storage.metadata import write_metadata
from nanio.storage.paths import assert_inside_data_dir, metadata_path, object_path


class Storage(FilesystemStorage):  # type: ignore[misc]  # nanio has no types
    """Buckets in folders, as nanio keeps them."""

    async def put_object(
        self,
        bucket: str,
        key: str,
        body: AsyncIterator[bytes],
        *,
        expected_md5: str | None = None,
        **about: Any,
    ) -> ObjectInfo:
        """Store an object, or nothing of it; what there was before is there until all has come."""
        self._require_bucket_dir(bucket)
        validate_object_key(key)
        final = object_path(self.data_dir, bucket, key)
        if final.parent.exists():  # a link must not lead out of the folder, before and after it is made
            assert_inside_data_dir(self.data_dir, final.parent)
        final.parent.mkdir(parents=True, exist_ok=True)
        assert_inside_data_dir(self.data_dir, final.parent)
        partial = final.parent / f".tmp.{uuid.uuid4().hex}"
        try:
            received = await _receive(partial, body)
            _check(received, expected_md5)
            partial.replace(final)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        info = ObjectInfo(
            key=key,
            size=received.size,
            etag=received.quoted_etag(),
            last_modified=datetime.now(tz=UTC),
            **about,
        )
        write_metadata(metadata_path(self.data_dir, bucket, key), info)
        return info


def _check(received: StreamingMd5, expected_md5: str | None) -> None:
    if expected_md5 is not None and _b64md5_to_hex(expected_md5) != received.hexdigest():
        raise BadDigest


async def _receive(path: Path, body: AsyncIterator[bytes]) -> StreamingMd5:
    """Write the body to a new file and sync it; return its hash and size."""
    received = StreamingMd5()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        async for piece in body:
            received.update(piece)
            file.write(piece)
        file.flush()
        await asyncio.to_thread(os.fsync, descriptor)
    return received
