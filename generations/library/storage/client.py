"""Object storage (S3) with the bytes of all images; one client for the whole process."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import threading
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.storage import storages
from django.utils.translation import gettext_lazy as _

from generations.core import asgi
from generations.library.storage.direct_put import DirectPut

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from storages.backends.s3 import S3Storage

CHUNK_SIZE = 256 * 1024
CHUNK_SECONDS = 30.0  # for a chunk of a stream, with waiting for a thread
MAX_METADATA_LENGTH = 120  # characters of one value; S3 takes 2 KB in all
REMOVE_THREADS = 8
NOT_FOUND = {"404", "NoSuchKey", "NotFound"}
FORBIDDEN = {"403", "AccessDenied", "Forbidden"}
# Exists only where the key may not list: if it can be read, what else is forbidden to read is not there.
MARKER = "sdweb-bucket"
CHECKSUM_HEADERS = {"ChecksumSHA256": "x-amz-checksum-sha256", "ContentMD5": "Content-MD5"}
BUCKET_EXISTS = {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}


log = logging.getLogger(__name__)

# Not the event loop's own threads: if storage hangs, what else uses those would hang too.
_stream_threads = asgi.Threads("storage", 32)


class StorageUnavailable(Exception):
    """A request to object storage failed; the text is a sentence for the user, `cause` the client's error."""

    def __init__(self, cause: object) -> None:
        super().__init__(_("The storage for pictures does not answer. Please try again in a minute."))
        self.cause = cause


class ObjectMissing(StorageUnavailable):
    """There is no such object; trying again does not help."""


@dataclass(frozen=True)
class ObjectInfo:
    """An object as a HEAD request describes it; `size` in bytes."""

    size: int
    media_type: str
    metadata: dict[str, str]
    modified_at: datetime


@dataclass(frozen=True)
class ListedObject:
    """An object as a listing describes it; `size` in bytes."""

    key: str
    size: int
    modified_at: datetime


@dataclass(frozen=True)
class ObjectStream:
    """The bytes of an object in chunks; can be read once."""

    body: StreamingBody
    size: int

    def __iter__(self) -> Iterator[bytes]:
        with self.body as body:
            while chunk := body.read(CHUNK_SIZE):
                yield chunk

    async def chunks(self) -> AsyncIterator[bytes]:
        """The chunks, read in a thread so that the event loop is not blocked. Raises TimeoutError."""
        try:
            while chunk := await self._next_chunk():
                yield chunk
        finally:
            # Closing waits for the thread that reads: it is woken, and waited for outside of the event loop.
            with suppress(RuntimeError):  # it was read to its end
                self.body._raw_stream.shutdown()  # type: ignore[attr-defined]  # a stub lacks it
            await _stream_threads.run(self.body.close)

    async def _next_chunk(self) -> bytes:
        async with asyncio.timeout(CHUNK_SECONDS):
            return await _stream_threads.run(self.body.read, CHUNK_SIZE)

    def close(self) -> None:
        """Close the connection, however much was read."""
        self.body.close()


# Objects ------------------------------------------------------------------------


def put(key: str, data: bytes, *, media_type: str, metadata: Mapping[str, object] | None = None) -> None:
    """Store an object. Each value of the metadata is cut to 120 characters of any script."""
    told = {name.replace("_", "-"): _header_value(value) for name, value in (metadata or {}).items()}
    checksum = _checksum(data)
    headers = {f"x-amz-meta-{name}": value for name, value in told.items()}
    headers |= {CHECKSUM_HEADERS[name]: value for name, value in checksum.items()}
    if _direct_put_of(client(), bucket()).put(key, data, {"Content-Type": media_type, **headers}):
        return
    with translated_errors():
        client().put_object(
            Bucket=bucket(), Key=key, Body=data, ContentType=media_type, Metadata=told, **checksum
        )


def read(key: str) -> bytes:
    """The bytes of an object. Raises ObjectMissing, StorageUnavailable."""
    with translated_errors(is_read=True):
        return client().get_object(Bucket=bucket(), Key=key)["Body"].read()


def stream(key: str) -> ObjectStream:
    """An object to be read in chunks. Raises ObjectMissing, StorageUnavailable."""
    with translated_errors(is_read=True):
        response = client().get_object(Bucket=bucket(), Key=key)
    return ObjectStream(response["Body"], response["ContentLength"])


def head(key: str) -> ObjectInfo:
    """Size, media type, metadata and age of an object. Raises ObjectMissing, StorageUnavailable."""
    with translated_errors(is_read=True):
        response = client().head_object(Bucket=bucket(), Key=key)
    metadata = {name.replace("-", "_"): unquote(value) for name, value in response["Metadata"].items()}
    return ObjectInfo(response["ContentLength"], response["ContentType"], metadata, response["LastModified"])


def head_or_none(key: str) -> ObjectInfo | None:
    """As `head`; None if there is no such object. Raises StorageUnavailable."""
    try:
        return head(key)
    except ObjectMissing:
        return None


def exists(key: str) -> bool:
    """Whether there is such an object. Raises StorageUnavailable."""
    return head_or_none(key) is not None


def list_objects(prefix: str = "") -> Iterator[ListedObject]:
    """Yield all objects whose keys begin with the prefix, in byte order. Raises StorageUnavailable."""
    with translated_errors():
        paginator = client().get_paginator("list_objects_v2")
        for page in paginator.paginate(Bucket=bucket(), Prefix=prefix):
            for entry in page.get("Contents", []):
                yield ListedObject(entry["Key"], entry["Size"], entry["LastModified"])


def may_list() -> bool:
    """Whether the key may list the bucket, which storage can work without. Raises StorageUnavailable."""
    try:
        with translated_errors():
            client().list_objects_v2(Bucket=bucket(), MaxKeys=1)
    except StorageUnavailable as error:
        if _error_code(error.cause) in FORBIDDEN and is_up():
            return False
        raise
    return True


def list_keys(prefix: str) -> list[str]:
    """The first thousand keys with that prefix, in byte order, from one request."""
    with translated_errors():
        response = client().list_objects_v2(Bucket=bucket(), Prefix=prefix)
    return [entry["Key"] for entry in response.get("Contents", [])]


def remove(key: str) -> None:
    """Remove an object, if there is one. Raises StorageUnavailable."""
    with translated_errors():
        client().delete_object(Bucket=bucket(), Key=key)


def remove_many(keys: Collection[str]) -> set[str]:
    """Remove objects, 8 at a time; return the keys that are gone. Failures are logged, not raised.

    Each is one request, since not every server that speaks S3 has the request that deletes many.
    """
    with ThreadPoolExecutor(REMOVE_THREADS) as threads:
        return {key for key, is_gone in zip(keys, threads.map(_try_remove, keys), strict=True) if is_gone}


def _try_remove(key: str) -> bool:
    try:
        remove(key)
    except StorageUnavailable as error:
        log.warning("%s could not be removed; it is removed later: %s", key, error)
        return False
    return True


# The bucket ----------------------------------------------------------------------


def create_bucket() -> None:
    """Create the bucket, unless it exists. Raises StorageUnavailable."""
    if is_up():
        return
    region = client().meta.region_name
    location: dict[str, Any] = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        with translated_errors():
            # S3 rejects its default region as a LocationConstraint and requires every other region.
            client().create_bucket(Bucket=bucket(), **({} if region == "us-east-1" else location))
    except StorageUnavailable as error:
        if _error_code(error.cause) not in BUCKET_EXISTS:
            raise


def is_up() -> bool:
    """Whether storage answers and has the bucket; a key that may not list it reads and writes one object."""
    try:
        with translated_errors():
            client().head_bucket(Bucket=bucket())
    except StorageUnavailable as error:
        return _error_code(error.cause) in FORBIDDEN and (_can_read_marker() or _can_write_marker())
    return True


def _can_read_marker() -> bool:
    try:
        with translated_errors():
            client().get_object(Bucket=bucket(), Key=MARKER)["Body"].close()
    except StorageUnavailable:
        return False
    return True


def _can_write_marker() -> bool:
    try:
        put(MARKER, b"sdweb", media_type="text/plain")
    except StorageUnavailable:
        return False
    return _can_read_marker()


def bucket() -> str:
    """The name of the bucket."""
    return str(_storage().bucket_name)


def client() -> S3Client:
    """The client of this process; one for all threads, since each takes 20 MB."""
    with _client_lock:
        return _client_of(_storage())


_client_lock = threading.Lock()


def _storage() -> S3Storage:
    return storages["images"]


@lru_cache(maxsize=1)  # a test that changes the setting gets another storage object, and so another client
def _client_of(storage: S3Storage) -> S3Client:
    storage.client_config = storage.client_config.merge(
        Config(
            connect_timeout=3,
            read_timeout=20,
            retries={"mode": "standard", "max_attempts": 2},
            max_pool_connections=50,
            user_agent="sdweb",  # the client would put its own together anew for each request
            # Not every server that speaks S3 knows the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            # The key has the SHA-256 already, and signing the payload takes 1.4 ms for each image.
            s3={"addressing_style": storage.addressing_style, "payload_signing_enabled": False},
        )
    )
    shared: S3Client = storage.connection.meta.client
    return shared


@lru_cache(maxsize=1)
def _direct_put_of(shared: S3Client, bucket: str) -> DirectPut:
    return DirectPut(shared, bucket)


def _checksum(data: bytes) -> dict[str, Any]:
    """The checksum of an upload as arguments of the client; {} for none."""
    if settings.S3_CHECKSUM == "sha256":
        return {"ChecksumSHA256": base64.b64encode(hashlib.sha256(data).digest()).decode()}
    if settings.S3_CHECKSUM == "md5":
        digest = hashlib.md5(data, usedforsecurity=False).digest()
        return {"ContentMD5": base64.b64encode(digest).decode()}
    return {}


def _header_value(value: object) -> str:
    """The value of a metadata header: printable ASCII, without spaces at the ends."""
    return quote(str(value)[:MAX_METADATA_LENGTH], safe="/:;,=+@", errors="replace")


def _error_code(cause: object) -> str:
    """The error code of S3, such as NoSuchKey."""
    return str(cause.response.get("Error", {}).get("Code")) if isinstance(cause, ClientError) else ""


@contextmanager
def translated_errors(*, is_read: bool = False) -> Iterator[None]:
    """Raise the errors of the S3 client as ObjectMissing or StorageUnavailable.

    To a key without the right to list, S3 answers 403 to a read (`is_read`) of an object that is not there.
    """
    try:
        yield
    except (BotoCoreError, ClientError) as cause:
        code = _error_code(cause)
        is_missing = code in NOT_FOUND or (is_read and code in FORBIDDEN and _can_read_marker())
        error = ObjectMissing if is_missing else StorageUnavailable
        raise error(cause) from cause
