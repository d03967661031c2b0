"""Listings of the embedded S3 server, whole and in byte order (see `nanio_server`)."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from nanio.app_state import get_settings, get_storage
from nanio.errors import InvalidArgument, S3Error
from nanio.storage.backend import ObjectInfo
from nanio.xml import list_objects_v2_xml
from starlette.requests import Request
from starlette.responses import Response

INTERNAL = (".nanio", ".tmp.")  # beginnings of names of files that are no objects


@dataclass(frozen=True)
class Asked:
    """What a listing is asked for: entries after `after`, whose names begin with `prefix`."""

    prefix: str
    delimiter: str
    after: str


async def list_objects(request: Request) -> Response:
    """List keys and folders in byte order, in either version of the request."""
    query, bucket = request.query_params, request.path_params["bucket"]
    storage, limit = get_storage(request), get_settings(request).max_list_keys
    size = _page_size(query.get("max-keys"), limit)
    is_first = query.get("list-type") != "2"
    start = query.get("marker", "") if is_first else query.get("start-after", "")
    token = "" if is_first else query.get("continuation-token", "")
    asked = Asked(query.get("prefix", ""), query.get("delimiter", ""), _decode(token) if token else start)
    storage.head_bucket(bucket)
    entries, is_truncated = await asyncio.to_thread(_page, storage, bucket, asked, size)
    last = entries[-1][0] if entries else ""
    body = list_objects_v2_xml(
        bucket=bucket,
        contents=[(i.key, i.last_modified, i.etag, i.size) for _name, i in entries if i],
        common_prefixes=[name for name, info in entries if info is None],
        prefix=asked.prefix,
        delimiter=asked.delimiter or None,
        max_keys=size,
        is_truncated=is_truncated,
        continuation_token=token or None,
        next_continuation_token=_encode(last) if is_truncated and not is_first else None,
        start_after=query.get("start-after"),
        encoding_type=query.get("encoding-type"),
    )
    return Response(
        _as_first(body, request, last, is_truncated) if is_first else body, media_type="application/xml"
    )


def _as_first(body: bytes, request: Request, last: str, is_truncated: bool) -> bytes:
    """The answer of version 2 as one of version 1: it says where it began, and where the next one does."""
    is_encoded = request.query_params.get("encoding-type") == "url"

    def text(name: str, key: str) -> bytes:
        return f"<{name}>{escape(quote(key, safe='') if is_encoded else key)}</{name}>".encode()

    added = text("Marker", request.query_params.get("marker", ""))
    added += text("NextMarker", last) if is_truncated else b""
    return body.replace(b"<MaxKeys>", added + b"<MaxKeys>", 1)


def _page_size(text: str | None, limit: int) -> int:
    if text is None:
        return limit
    if not text.isdecimal():
        raise InvalidArgument("max-keys must be a number.")
    return min(int(text), limit)


def _page(
    storage: Any, bucket: str, asked: Asked, size: int
) -> tuple[list[tuple[str, ObjectInfo | None]], bool]:
    """The entries of one page, and whether more follow; a folder has no information."""
    found: list[tuple[str, ObjectInfo | None]] = []
    if size == 0:
        return found, False
    for name in _entries(storage.data_dir / bucket, asked):
        if len(found) == size:
            return found, True
        is_folder = bool(asked.delimiter) and name.endswith(asked.delimiter)
        try:
            found.append((name, None if is_folder else storage.head_object(bucket, name)))
        except S3Error:  # deleted since, or a file that no request can name
            continue
    return found, False


def _entries(root: Path, asked: Asked) -> Iterator[str]:
    """Names of objects and folders, each once, in byte order."""
    last_folder = asked.after if asked.delimiter and asked.after.endswith(asked.delimiter) else None
    for key in _keys(root, "", asked):
        end = key.find(asked.delimiter, len(asked.prefix)) if asked.delimiter else -1
        if end < 0:
            if key > asked.after:
                yield key
            continue
        folder = key[: end + len(asked.delimiter)]
        if folder != last_folder and key > asked.after:
            yield folder
        last_folder = folder


def _keys(root: Path, below: str, asked: Asked) -> Iterator[str]:
    """Keys of a folder that begin with the prefix, without folders that end before `after`."""
    try:
        listed = [each for each in os.scandir(root / below) if not each.name.startswith(INTERNAL)]
    except FileNotFoundError:  # removed since
        return
    for name in sorted(f"{below}{each.name}{'/' * each.is_dir(follow_symlinks=False)}" for each in listed):
        if not name.endswith("/"):
            if name.startswith(asked.prefix):
                yield name
        elif (name.startswith(asked.prefix) or asked.prefix.startswith(name)) and _may_follow(name, asked):
            is_listed_itself = asked.delimiter == "/" and len(name) > len(asked.prefix)
            yield from islice(
                _keys(root, name, asked), 1 if is_listed_itself and name > asked.after else None
            )


def _may_follow(folder: str, asked: Asked) -> bool:
    """Whether something in the folder may come after what was listed before."""
    is_listed = asked.delimiter == "/" and folder == asked.after
    return (folder > asked.after or asked.after.startswith(folder)) and not is_listed


def _encode(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _decode(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except ValueError as problem:
        raise InvalidArgument("That is no continuation token of this server.") from problem
