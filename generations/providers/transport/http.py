"""One HTTP exchange with limits on time, size, redirects and trusted certificates.

Each order opens a new connection. A kept-alive one may be closed by the server just as it is reused, and then
it is unknown whether the request arrived and an image was charged. With a new connection, a failure before
the whole request was passed to the operating system cannot have had an effect (`Busy`), a later one may have
(`Unknown`). It costs a fraction of a millisecond of CPU and one or two round trips, on a call that takes
seconds. A GET, such as the poll of a task, is charged never and sent many times a minute: it leaves its
connection open for the next one, and is sent once more over a new one if that was closed meanwhile.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import requests
from urllib3.exceptions import HTTPError, IncompleteRead, NameResolutionError, ProxyError, SSLError

from generations.providers.base import Busy, Unknown
from generations.providers.i18n import gettext as _
from generations.providers.i18n import gettext_noop
from generations.providers.transport import error_text, kept_connections
from generations.providers.transport.connection import CONNECT_TIMEOUT, Call, OneConnectionAdapter

MAX_BODY = 64 * 1024 * 1024  # of a response with an image
MAX_ERROR_BODY = 64 * 1024
ERROR_BODY_TIMEOUT = 5.0  # the status is known already; the text is not worth waiting longer
END_OF_EVENTS = b"data: [DONE]"
CHUNK = 4 * 1024 * 1024  # most images in one read
MAX_RETRY_AFTER = 3600.0  # seconds

NOTHING_SENT = {
    "proxy": gettext_noop("The proxy to the provider cannot be reached, or refuses the connection."),
    "name": gettext_noop("The provider's host name could not be found."),
    "tls": gettext_noop("The provider's certificate or encryption could not be verified."),
    "refused": gettext_noop("The provider refuses connections."),
    "slow": gettext_noop("The provider could not be reached in time."),
    "other": gettext_noop("The provider could not be reached."),
}
Read = Callable[[requests.Response, int], bytes]  # up to so many bytes of a body
FAILURES = (requests.RequestException, HTTPError, http.client.HTTPException, OSError, ValueError)


@dataclass(frozen=True)
class Reply:
    """A response: the body is complete if the status is 2xx, else its beginning.

    `sent_whole` is false if it came before the whole request was sent, which then had no effect.
    """

    status: int
    headers: Mapping[str, str]  # names in any case
    body: bytes
    sent_whole: bool = True

    def request_id(self, key: str) -> str:
        """Return the provider's request id without the key; empty if it is missing or unusable."""
        text = error_text.redact(self.headers.get("x-request-id", "").strip()[:200], key)
        return text if re.fullmatch(r"[\w.:/=+-]{1,100}", text, re.ASCII) else ""

    @property
    def retry_after(self) -> float | None:
        """The seconds of a Retry-After header, given as a number or a date; None without one."""
        text = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text, re.ASCII):
            return min(float(text), MAX_RETRY_AFTER)
        try:
            moment = parsedate_to_datetime(text[:100])
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime.now(UTC)
        except (ValueError, TypeError, OverflowError):
            return None
        return min(max(seconds.total_seconds(), 0.0), MAX_RETRY_AFTER)


def exchange(
    method: str,
    url: str,
    *,
    timeout: float,
    proxy: str = "",
    is_stream: bool = False,
    max_body: int = MAX_BODY,
    **content: Any,
) -> Reply:
    """Send one request and read the response within `timeout` seconds; raises only Busy or Unknown.

    `proxy` is the address of an HTTP proxy, "" for none. `content` is what `requests` takes: `headers`,
    `params`, `files`, `json`. Only DNS resolution may outlast the deadline, and then nothing is sent. With
    `is_stream` the body is what came until the end of its events, the deadline, or a broken connection.
    A body of more than `max_body` bytes is Unknown.
    """
    deadline = time.monotonic() + timeout
    server = kept_connections.server_of(url, proxy) if method == "GET" else None
    adapter = kept_connections.take(server, deadline) if server else None
    body_of = partial(_body, read=read_stream if is_stream else read_body, limit=max_body)
    failure: Busy | Unknown | None = None
    while failure is None:
        adapter = adapter or OneConnectionAdapter(Call(deadline))
        try:
            prepared = requests.Request(method, url, **content).prepare()
            return _exchange(adapter, server, prepared, proxy, body_of)
        except FAILURES as problem:
            failure = None if adapter.call.met_closed_connection else _to_error(adapter.call, problem)
        adapter = None
    # Raised out here, so that it has no context: exceptions of `requests` contain the key.
    raise failure


def _exchange(
    adapter: OneConnectionAdapter,
    server: kept_connections.Server | None,
    prepared: requests.PreparedRequest,
    proxy: str,
    body_of: Callable[[requests.Response], bytes],
) -> Reply:
    """Exchange over the adapter's connection, and keep that if there is a `server` to keep it for."""
    call = adapter.call
    if server is None:
        prepared.headers["Connection"] = "close"
    prepared.headers["Accept-Encoding"] = "identity"  # images do not compress, decompression bombs do
    # An adapter without a session: a session would read the whole body of a redirect, keep cookies, and use a
    # .netrc file or a proxy of the environment, to which other accounts' keys must not go.
    with contextlib.ExitStack() as unless_kept:
        unless_kept.callback(adapter.close)
        timeout = (min(CONNECT_TIMEOUT, call.remaining()), call.remaining())
        proxies = {"http": proxy, "https": proxy} if proxy else None
        with adapter.send(prepared, stream=True, timeout=timeout, proxies=proxies) as response:
            call.status = response.status_code
            is_result = 200 <= call.status < 300
            body = body_of(response) if is_result else _error_body(call, response)
            reply = Reply(call.status, response.headers, body, call.sent)
        if server and adapter.is_open:
            unless_kept.pop_all()
            kept_connections.keep(server, adapter)
        return reply


def _body(response: requests.Response, read: Read, limit: int) -> bytes:
    raw = read(response, limit)
    if len(raw) > limit:
        raise OSError("the answer is too large")
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    return raw if encoding in ("", "identity") else _unpack(raw, encoding, limit)


def _error_body(call: Call, response: requests.Response) -> bytes:
    """Return the error body, b"" if it cannot be read: the status is enough."""
    call.deadline = min(call.deadline, time.monotonic() + ERROR_BODY_TIMEOUT)
    try:
        raw = read_body(response, MAX_ERROR_BODY)[:MAX_ERROR_BODY]
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        return raw if encoding in ("", "identity") else _unpack(raw, encoding)
    except FAILURES:
        return b""


def read_body(response: requests.Response, limit: int) -> bytes:
    """Read at most `limit` + 1 bytes without decoding; an incomplete body raises."""
    parts, size = [], 0
    while size <= limit and (part := response.raw.read(min(CHUNK, limit + 1 - size), decode_content=False)):
        parts.append(part)
        size += len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def read_stream(response: requests.Response, limit: int) -> bytes:
    """Read at most `limit` + 1 bytes until the events say that they end; a broken connection ends them, too.

    What is paid for may have come before. Raises what `read_body` raises if nothing came.
    """
    body = bytearray()
    try:
        while len(body) <= limit and END_OF_EVENTS not in body[-64:]:
            part = response.raw.read1(min(CHUNK, limit + 1 - len(body)), decode_content=False)
            if not part:
                break
            body += part
    except FAILURES:
        if not body:
            raise
    return bytes(body)


def _unpack(raw: bytes, encoding: str, limit: int = MAX_BODY) -> bytes:
    """Decompress a body that was compressed unasked, up to the maximum size."""
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise OSError("the answer is in an encoding that was not requested")
    decoder = zlib.decompressobj(wbits=47)  # either header
    try:
        body = decoder.decompress(raw, limit)
    except zlib.error:
        raise OSError("the answer does not unpack") from None
    if not decoder.eof:
        raise OSError("the answer is cut or too large")
    return body


def _to_error(call: Call, problem: Exception) -> Busy | Unknown:
    """Map a failed exchange to an error: only a request that was sent completely may have been charged."""
    if not call.sent:
        return Busy(_(NOTHING_SENT[_cause(problem)]))
    if call.deadline <= time.monotonic() or is_caused_by(problem, TimeoutError):
        return Unknown(_("The provider did not answer in time."), call.status)
    if call.status is not None and not is_caused_by(problem, IncompleteRead, http.client.IncompleteRead):
        return Unknown(_("The provider's answer could not be read."), call.status)
    return Unknown(_("The connection broke before the answer was complete."), call.status)


def _cause(problem: BaseException) -> str:
    causes: dict[str, tuple[type[BaseException], ...]] = {
        "proxy": (ProxyError, requests.exceptions.ProxyError),
        "name": (NameResolutionError, socket.gaierror),
        "tls": (SSLError, ssl.SSLError),
        "refused": (ConnectionRefusedError,),
        "slow": (TimeoutError, requests.Timeout),
    }
    return next((name for name, kinds in causes.items() if is_caused_by(problem, *kinds)), "other")


def is_caused_by(problem: object, *kinds: type[BaseException], depth: int = 6) -> bool:
    """Return whether the exception, or one that it wraps in any way, is of these types."""
    if isinstance(problem, kinds):
        return True
    if not isinstance(problem, BaseException) or depth == 0:
        return False
    inner = (*problem.args, problem.__cause__, problem.__context__, getattr(problem, "reason", None))
    return any(is_caused_by(one, *kinds, depth=depth - 1) for one in inner)
