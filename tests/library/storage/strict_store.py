"""A store in front of the tests' own that is as strict as some that people use."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.exceptions import ClientError

HOST = "s3.store.example"  # resolved by nobody: clients come through this server as their HTTP proxy
NEEDS_CHECKSUM = (
    "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock"
)
ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'


class StrictStore(ThreadingHTTPServer):
    """Passes requests to the store behind it, unless one of its rules forbids them.

    `bucket_in_host`: the bucket must stand in the host name. `no_list`: the key may not list, so what is not
    there is forbidden. `object_lock`: each object needs a checksum. `no_read`: the key reads nothing.
    """

    daemon_threads = True

    def __init__(self, backend: Any, access_key: str, **rules: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.backend, self.access_key, self.rules = backend, access_key, rules
        self.checksums: list[str] = []  # headers with which objects came
        self.stored: list[str] = []  # their keys
        self.listings = 0

    @property
    def options(self) -> dict[str, Any]:
        """The settings of a client."""
        return {"endpoint_url": f"http://{HOST}", "proxies": {"http": f"http://127.0.0.1:{self.server_port}"}}


@contextmanager
def running(backend: Any, access_key: str, **rules: bool) -> Iterator[StrictStore]:
    """Run it until the end of the block."""
    server = StrictStore(backend, access_key, **rules)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StrictStore

    def log_message(self, *_: Any) -> None:
        """Stay silent."""

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        address = urlsplit(self.path)
        host = address.hostname or ""
        in_host = host.removesuffix(f".{HOST}") if host != HOST else ""
        bucket, _slash, key = unquote(address.path).lstrip("/").partition("/")
        if in_host:
            bucket, key = in_host, unquote(address.path).lstrip("/")
        if self.server.access_key not in self.headers.get("Authorization", ""):
            self._error(403, "InvalidAccessKeyId")
        elif self.server.rules.get("bucket_in_host") and not in_host:
            self._error(400, "InvalidRequest", "Path-style addressing is not allowed")
        elif not key:
            self._bucket(bucket)
        else:
            self._object(bucket, key, body)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _handle  # noqa: N815  as the base class asks for

    def _bucket(self, bucket: str) -> None:
        self.server.listings += self.command == "GET"
        if self.server.rules.get("no_list"):
            self._error(403, "AccessDenied")
            return
        try:
            self.server.backend.head_bucket(Bucket=bucket)
        except ClientError:
            self._error(404, "NoSuchBucket")
        else:
            self._send(200, b"")

    def _object(self, bucket: str, key: str, body: bytes) -> None:
        place = {"Bucket": bucket, "Key": key}
        if self.command == "PUT":
            self._put(place, body)
        elif self.command == "DELETE":
            self.server.backend.delete_object(**place)
            self._send(204, b"")
        elif self.server.rules.get("no_read"):
            self._error(403, "AccessDenied")
        else:
            self._get(place)

    def _get(self, place: dict[str, str]) -> None:
        try:
            found = self.server.backend.get_object(**place)
        except ClientError:
            hides = self.server.rules.get("no_list")
            self._error(403 if hides else 404, "AccessDenied" if hides else "NoSuchKey")
            return
        headers = {f"x-amz-meta-{name}": value for name, value in found["Metadata"].items()}
        headers |= {"Content-Type": found["ContentType"], "ETag": found["ETag"]}
        headers["Last-Modified"] = found["LastModified"].strftime("%a, %d %b %Y %H:%M:%S GMT")
        self._send(200, found["Body"].read(), **headers)

    def _put(self, place: dict[str, str], body: bytes) -> None:
        expected = {
            "Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode(),
            "x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(body).digest()).decode(),
        }
        given = {name: self.headers[name] for name in expected if self.headers[name]}
        if any(value != expected[name] for name, value in given.items()):
            self._error(400, "BadDigest")
            return
        if self.server.rules.get("object_lock") and not given:
            self._error(400, "InvalidRequest", NEEDS_CHECKSUM)
            return
        self.server.checksums += given
        self.server.stored.append(place["Key"])
        prefix = "x-amz-meta-"
        metadata = {
            name.lower().removeprefix(prefix): value
            for name, value in self.headers.items()
            if name.lower().startswith(prefix)
        }
        self.server.backend.put_object(
            **place, Body=body, ContentType=self.headers["Content-Type"], Metadata=metadata
        )
        self._send(200, b"")

    def _error(self, status: int, code: str, message: str = "") -> None:
        body = b"" if self.command == "HEAD" else ERROR.format(code=code, message=message).encode()
        self._send(status, body, **{"Content-Type": "application/xml"})

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
