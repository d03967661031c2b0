"""The embedded S3 server: nanio, with what version 0.1.7 gets wrong put right. Buckets stay as it keeps them.

- A request about tags, rights or versions was taken for one about the object: setting tags replaced its
  bytes, and deleting them deleted it. Such requests are refused (501); no object has tags.
- `If-None-Match: *` and `If-Match` were ignored when an object is put, and so were conditions of a GET.
- Ranges from the end (`bytes=-5`) and ranges past the end were refused with 400.
- Listings of version 1 never ended, those with folders lost folders after their first page, those over
  several pages lost keys where a name is the beginning of another (`a/x` and `a-b`), and objects that were
  still being put were listed under a name of their own.
- The body of a refused request was read as the next request of its connection.
- A copy kept the old metadata although it was told to replace them, and a part that is a copy was empty.
- A write that the disk took in part only, as it does when it gets full, was taken for whole.

It is run as a file, with the modules of its folder beside it, since importing the package `sdweb` takes the
memory of Celery. The name of the folder says so: nothing can import it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote

import uvicorn
from nanio.app import build_app
from nanio.app_state import get_storage
from nanio.errors import InvalidArgument, NoSuchKey, NotImplemented_, PreconditionFailed, S3Error
from nanio.handlers._body import extract_user_metadata
from nanio.handlers.bucket import dispatch_bucket
from nanio.handlers.object import dispatch_object
from nanio.handlers.service import list_buckets
from nanio.storage.backend import ObjectInfo
from nanio.xml import S3_NS, copy_object_result_xml
from nanio_listings import list_objects
from nanio_storage import Storage
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = ["GET", "HEAD", "PUT", "DELETE", "POST"]
LISTING = {
    "list-type",
    "prefix",
    "delimiter",
    "max-keys",
    "continuation-token",
    "start-after",
    "marker",
    "encoding-type",
    "fetch-owner",
}
UPLOADS = {"uploads", "uploadid", "partnumber", "max-parts", "part-number-marker", "max-uploads"}
KNOWN = {
    "bucket": LISTING | UPLOADS | {"location", "delete", "key-marker", "upload-id-marker", "x-id"},
    "object": UPLOADS | {"x-id"},
}
SIGNATURE = ("x-amz-", "response-")  # of a signed address, and headers that it asks for
NO_TAGS = f'<?xml version="1.0" encoding="UTF-8"?><Tagging xmlns="{S3_NS}"><TagSet></TagSet></Tagging>'
RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class ConditionalRequestConflict(S3Error):  # type: ignore[misc]  # nanio has no types
    """Another request puts the object at this moment."""

    code = "ConditionalRequestConflict"
    message = "The object is being written by another request. Try again."
    http_status = 409


class InvalidRange(S3Error):  # type: ignore[misc]  # nanio has no types
    """The range begins after the end of the object."""

    code = "InvalidRange"
    message = "The requested range is not satisfiable."
    http_status = 416


class ClosesUnread:
    """Closes connections on which the body of a refused request may still be: it is no next request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        is_read = scope["type"] != "http" or scope["method"] not in {"PUT", "POST"}

        async def receive_noting() -> Message:
            nonlocal is_read
            message = await receive()
            is_read = is_read or not message.get("more_body", False)
            return message

        async def send_closing(message: Message) -> None:
            if message["type"] == "http.response.start" and not is_read:
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        await self.app(scope, receive_noting, send_closing)


def build() -> Starlette:
    """Nanio's application, whose settings are in the environment, with our handlers before its own."""
    app: Starlette = build_app()
    app.user_middleware.insert(0, Middleware(ClosesUnread))
    app.router.routes[:] = [
        Route("/", list_buckets, methods=["GET", "HEAD"]),
        Route("/{bucket}", handle_bucket, methods=METHODS),
        Route("/{bucket}/", handle_bucket, methods=METHODS),
        Route("/{bucket}/{key:path}", handle_object, methods=METHODS),
    ]
    app.state.being_put = set()
    app.state.storage = Storage(app.state.storage.data_dir)
    return app


async def handle_bucket(request: Request) -> Response:
    """Answer a request about a bucket."""
    _refuse_unknown(request, "bucket")
    if request.method == "GET" and not {"location", "uploads"} & set(request.query_params):
        return await list_objects(request)
    return await _by_nanio(dispatch_bucket, request)


async def handle_object(request: Request) -> Response:
    """Answer a request about an object."""
    if request.method == "GET" and "tagging" in request.query_params:
        await asyncio.to_thread(_info, request)
        return Response(NO_TAGS, media_type="application/xml")
    _refuse_unknown(request, "object")
    is_upload = {"uploads", "uploadId"} & set(request.query_params)
    if request.method in {"GET", "HEAD"} and not is_upload:
        return await _read(request)
    if request.method == "PUT" and "x-amz-copy-source" in request.headers:
        return await _copy(request)
    if request.method == "PUT" and not is_upload and {"if-match", "if-none-match"} & set(request.headers):
        return await _put_if(request)
    return await _by_nanio(dispatch_object, request)


async def _by_nanio(handler: Callable[[Request], Awaitable[Response]], request: Request) -> Response:
    return await handler(request)


def _refuse_unknown(request: Request, kind: str) -> None:
    """Raise NotImplemented_ for a request about something else than objects, such as tags."""
    asked = {name.lower() for name in request.query_params}
    unknown = {name for name in asked - KNOWN[kind] if not name.startswith(SIGNATURE)}
    if unknown:
        raise NotImplemented_(f"This server does not know {', '.join(sorted(unknown))}.")


async def _copy(request: Request) -> Response:
    """Copy an object, with its metadata or with those of the request."""
    if "uploadId" in request.query_params:
        raise NotImplemented_("This server does not know copies of parts.")
    if request.headers.get("x-amz-metadata-directive", "COPY").upper() != "REPLACE":
        return await _by_nanio(dispatch_object, request)
    bucket, slash, key = unquote(request.headers["x-amz-copy-source"]).removeprefix("/").partition("/")
    if not slash:
        raise InvalidArgument("x-amz-copy-source must be BUCKET/KEY.")
    storage = get_storage(request)
    source = await storage.get_object(bucket, key)
    copied = await storage.put_object(
        request.path_params["bucket"],
        request.path_params["key"],
        source.body,
        content_type=request.headers.get("content-type", source.info.content_type),
        user_metadata=extract_user_metadata(request),
        content_encoding=request.headers.get("content-encoding"),
        content_disposition=request.headers.get("content-disposition"),
        cache_control=request.headers.get("cache-control"),
    )
    body = copy_object_result_xml(etag=copied.etag, last_modified=copied.last_modified)
    return Response(body, media_type="application/xml")


# Conditions and ranges ------------------------------------------------------------------------


async def _put_if(request: Request) -> Response:
    """Put an object if the condition holds; of two such requests at the same time one is refused."""
    place = (request.path_params["bucket"], request.path_params["key"])
    if place in request.app.state.being_put:
        raise ConditionalRequestConflict
    request.app.state.being_put.add(place)
    try:
        info = await asyncio.to_thread(_info_or_none, request)
        if "if-match" in request.headers and info is None:
            raise NoSuchKey(resource="/".join(place))
        if _changed(request.headers, info) or _unchanged(request.headers, info):
            raise PreconditionFailed
        return await _by_nanio(dispatch_object, request)
    finally:
        request.app.state.being_put.discard(place)


async def _read(request: Request) -> Response:
    """Send an object or a part of it, unless the asker has it."""
    info = await asyncio.to_thread(_info, request)
    if _changed(request.headers, info):
        raise PreconditionFailed
    if _unchanged(request.headers, info):
        return Response(status_code=304, headers={"ETag": info.etag})
    asked = request.headers.get("range")
    if asked is not None:
        try:
            _set_range(request, _satisfiable(asked, info.size))
        except InvalidRange as error:
            headers = {"Content-Range": f"bytes */{info.size}"}
            return Response(error.to_xml(), error.http_status, headers, "application/xml")
    return await _by_nanio(dispatch_object, request)


def _info(request: Request) -> ObjectInfo:
    found: ObjectInfo = get_storage(request).head_object(
        request.path_params["bucket"], request.path_params["key"]
    )
    return found


def _info_or_none(request: Request) -> ObjectInfo | None:
    try:
        return _info(request)
    except NoSuchKey:
        return None


def _changed(headers: Mapping[str, str], info: ObjectInfo | None) -> bool:
    """Whether If-Match or If-Unmodified-Since says that this is not the object that was meant."""
    if "if-match" in headers:
        return info is None or not _names(headers["if-match"], info)
    since = _time(headers.get("if-unmodified-since"))
    return bool(since and info and info.last_modified.replace(microsecond=0) > since)


def _unchanged(headers: Mapping[str, str], info: ObjectInfo | None) -> bool:
    """Whether If-None-Match or If-Modified-Since says that this object is known already."""
    if "if-none-match" in headers:
        return info is not None and _names(headers["if-none-match"], info)
    since = _time(headers.get("if-modified-since"))
    return bool(since and info and info.last_modified.replace(microsecond=0) <= since)


def _names(condition: str, info: ObjectInfo) -> bool:
    etags = {each.strip().removeprefix("W/").strip('"') for each in condition.split(",")}
    return bool({"*", info.etag.strip('"')} & etags)


def _time(text: str | None) -> Any:
    try:
        return parsedate_to_datetime(text) if text else None
    except ValueError:
        return None


def _satisfiable(asked: str, size: int) -> str:
    """A Range header as nanio reads it; "" for the whole object. Raises InvalidRange."""
    match = RANGE.fullmatch(asked.strip())
    if not match or match[0] == "bytes=-":
        return ""  # HTTP: what is not understood is ignored
    start, end = match.groups()
    first = int(start) if start else max(size - int(end), 0)
    last = min(int(end), size - 1) if start and end else size - 1
    if first >= size or (not start and int(end) == 0):
        raise InvalidRange
    return f"bytes={first}-{last}" if first <= last else ""


def _set_range(request: Request, value: str) -> None:
    """Change the Range header that nanio will read."""
    others = [(name, text) for name, text in request.scope["headers"] if name != b"range"]
    request.scope["headers"] = others + ([(b"range", value.encode())] if value else [])
    request.__dict__.pop("_headers", None)


class Server(uvicorn.Server):
    """Uvicorn, which looks ten times a second whether it should end, and that is all that it does at rest."""

    async def main_loop(self) -> None:
        """Look once a second; the ticks are those of uvicorn, which dates responses at every tenth."""
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 10
            await asyncio.sleep(1.0)


def main() -> None:
    """Serve the buckets of a folder; keys are in NANIO_ACCESS_KEY and NANIO_SECRET_KEY."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data-dir", required=True)
    options = parser.parse_args()
    os.environ["NANIO_DATA_DIR"] = options.data_dir
    config = uvicorn.Config(
        build(), host=options.host, port=options.port, log_level="warning", access_log=False
    )
    Server(config).run()


if __name__ == "__main__":
    main()
