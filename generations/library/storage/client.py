"""Object storage: where the bytes of every picture lie. One client for the whole process."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.storage import storages
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from datetime import datetime

    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from storages.backends.s3 import S3Storage

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
CHUNK = 256 * 1024
LONGEST_NOTE = 120  # characters of one value of metadata; S3 takes 2 KB in all
ABSENT = {"404", "NoSuchKey", "NotFound"}
ALREADY_THERE = {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}


class StorageUnavailable(Exception):
    """Object storage did not do what it was asked; says so to a person."""

    def __init__(self, cause: object) -> None:
        super().__init__(_("The storage for pictures does not answer. Please try again in a minute."))
        self.cause = cause


class Missing(StorageUnavailable):
    """There is no such object. Asking again does not help."""


@dataclass(frozen=True)
class Stored:
    """What storage says about an object."""

    size: int
    media_type: str
    metadata: dict[str, str]
    modified_at: datetime


@dataclass(frozen=True)
class Stream:
    """An object on its way to somebody, in chunks; read it once."""

    body: StreamingBody
    size: int

    def __iter__(self) -> Iterator[bytes]:
        """The chunks."""
        with self.body as body:
            while chunk := body.read(CHUNK):
                yield chunk

    async def waited_for(self) -> AsyncIterator[bytes]:
        """The chunks, without holding up the event loop."""
        with self.body as body:
            while chunk := await asyncio.to_thread(body.read, CHUNK):
                yield chunk

    def close(self) -> None:
        """Give the connection up, however much was read."""
        self.body.close()


# Keys -------------------------------------------------------------------------


def image_key(*, generation: uuid.UUID, attempt: int, sha256: str, media_type: str) -> str:
    """Where a generated image lies: its hash is part of it, so writing it again changes nothing."""
    return f"{image_prefix(generation=generation, attempt=attempt)}{sha256}.{EXTENSIONS[media_type]}"


def image_prefix(*, generation: uuid.UUID, attempt: int) -> str:
    """How the keys of all images of an attempt begin."""
    return f"images/{generation}/{attempt}-"


def generation_of(key: str) -> uuid.UUID | None:
    """The generation that an object was made by; None for any other object."""
    kind, _slash, rest = key.partition("/")
    try:
        return uuid.UUID(rest.partition("/")[0]) if kind == "images" else None
    except ValueError:
        return None


def upload_key(*, team: int, sha256: str, media_type: str) -> str:
    """Where an upload lies; members of a team who bring the same picture share it."""
    return f"uploads/{team}/{sha256}.{EXTENSIONS[media_type]}"


def thumbnail_key(*, image: uuid.UUID, size: str) -> str:
    """Where a thumbnail lies: known from the image's id alone, so serving one asks no database."""
    return f"thumbnails/{image}/{size}.webp"


# Objects ------------------------------------------------------------------------


def put(key: str, data: bytes, *, media_type: str, metadata: Mapping[str, object] | None = None) -> None:
    """Store the bytes; metadata of any characters is kept, each value to 120 of them."""
    notes = {name.replace("_", "-"): _in_ascii(value) for name, value in (metadata or {}).items()}
    with translated_errors():
        client().put_object(Bucket=bucket(), Key=key, Body=data, ContentType=media_type, Metadata=notes)


def read(key: str) -> bytes:
    """The whole object; Missing if there is none."""
    with translated_errors():
        return client().get_object(Bucket=bucket(), Key=key)["Body"].read()


def stream(key: str) -> Stream:
    """The object as it comes; Missing if there is none."""
    with translated_errors():
        answer = client().get_object(Bucket=bucket(), Key=key)
    return Stream(answer["Body"], answer["ContentLength"])


def head(key: str) -> Stored:
    """What is known of the object, without its bytes; Missing if there is none."""
    with translated_errors():
        answer = client().head_object(Bucket=bucket(), Key=key)
    notes = {name.replace("-", "_"): unquote(value) for name, value in answer["Metadata"].items()}
    return Stored(answer["ContentLength"], answer["ContentType"], notes, answer["LastModified"])


def keys(prefix: str) -> list[str]:
    """The first thousand keys that begin so, in order."""
    with translated_errors():
        answer = client().list_objects_v2(Bucket=bucket(), Prefix=prefix)
    return [entry["Key"] for entry in answer.get("Contents", [])]


def exists(key: str) -> bool:
    """Whether the object is there."""
    try:
        head(key)
    except Missing:
        return False
    return True


# The bucket ----------------------------------------------------------------------


def make_bucket() -> None:
    """Make the bucket, unless it is there."""
    if is_up():
        return
    region = client().meta.region_name
    elsewhere: dict[str, Any] = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        with translated_errors():
            # S3 refuses its own default region as a constraint, and wants every other.
            client().create_bucket(Bucket=bucket(), **({} if region == "us-east-1" else elsewhere))
    except StorageUnavailable as problem:
        if _code(problem.cause) not in ALREADY_THERE:
            raise


def is_up() -> bool:
    """Whether storage answers and has our bucket."""
    try:
        with translated_errors():
            client().head_bucket(Bucket=bucket())
    except StorageUnavailable:
        return False
    return True


def bucket() -> str:
    """The bucket's name."""
    return str(_storage().bucket_name)


def client() -> S3Client:
    """The process's one client: safe to share between threads, and 20 MB each."""
    with _MAKING:
        return _client_of(_storage())


_MAKING = threading.Lock()


def _storage() -> S3Storage:
    return storages["images"]


@lru_cache(maxsize=1)  # a changed setting makes another storage object
def _client_of(storage: S3Storage) -> S3Client:
    storage.client_config = storage.client_config.merge(
        Config(
            connect_timeout=3,
            read_timeout=20,
            retries={"mode": "standard", "max_attempts": 2},
            max_pool_connections=50,
            # Servers that speak S3 do not all know the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            # Keys carry the sha256 already, and signing it costs 1.4 ms for each image.
            s3={"addressing_style": storage.addressing_style, "payload_signing_enabled": False},
        )
    )
    shared: S3Client = storage.connection.meta.client
    return shared


def _in_ascii(value: object) -> str:
    """Metadata travels as HTTP headers: printable ASCII, without spaces at the ends."""
    return quote(str(value)[:LONGEST_NOTE], safe="/:;,=+@", errors="replace")


def _code(cause: object) -> str:
    """The server's own name for what went wrong."""
    return str(cause.response.get("Error", {}).get("Code")) if isinstance(cause, ClientError) else ""


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn every failure of the client into one of ours."""
    try:
        yield
    except (BotoCoreError, ClientError) as cause:
        kind = Missing if _code(cause) in ABSENT else StorageUnavailable
        raise kind(cause) from cause
