"""One exchange over HTTP with a bound on everything: time, bytes, hops and trust.

Each call has a connection of its own. A kept one may be closed by the other side in the very
moment it is used again; then nobody knows whether the request arrived, and an image may have
been bought for nothing. A new connection has no such moment: whatever fails before the whole
request was handed to the system cannot have been acted upon (`Busy`), whatever fails after
may have been (`Unknown`). It costs a fraction of a millisecond of CPU and one or two round
trips on a call that takes seconds.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from urllib3.exceptions import HTTPError, IncompleteRead, NameResolutionError, SSLError

from generations.providers.base import Busy, Unknown
from generations.providers.i18n import gettext as _
from generations.providers.i18n import gettext_noop
from generations.providers.transport.connection import Call, OneCallAdapter

MOST_BYTES = 64 * 1024 * 1024  # of an answer with an image
MOST_ERROR_BYTES = 64 * 1024  # of an answer with an error
ERROR_SECONDS = 5.0  # its status is known already: its text is not worth more
CONNECT_SECONDS = 10.0
STEP = 4 * 1024 * 1024  # a picture in one read

NOTHING_SENT = {
    "name": gettext_noop("The provider's host name could not be found."),
    "tls": gettext_noop("The provider's certificate or encryption could not be verified."),
    "refused": gettext_noop("The provider refuses connections."),
    "slow": gettext_noop("The provider could not be reached in time."),
    "other": gettext_noop("The provider could not be reached."),
}
FAILURES = (requests.RequestException, HTTPError, http.client.HTTPException, OSError, ValueError)


@dataclass(frozen=True)
class Reply:
    """An answer: its body is whole if the status is 200, else as much as was worth reading."""

    status: int
    headers: Mapping[str, str]  # names in any case
    body: bytes


def exchange(method: str, url: str, *, timeout: float, **content: Any) -> Reply:
    """Send one request and read the answer within `timeout` seconds; raises Busy or Unknown only.

    `content` is what `requests` takes: `headers`, `files`, `json`. Only the search for the
    host's address may outlast the deadline, and nothing is sent after that.
    """
    call = Call(time.monotonic() + timeout)
    try:
        return _exchange(call, method, url, content)
    except FAILURES as problem:
        failure = _judge(call, problem)
    # Out here, so that the error has no context: the exceptions of `requests` carry the key.
    raise failure


def _exchange(call: Call, method: str, url: str, content: Mapping[str, Any]) -> Reply:
    prepared = requests.Request(method, url, **content).prepare()
    prepared.headers["Connection"] = "close"
    prepared.headers["Accept-Encoding"] = "identity"  # images do not shrink, and bombs are packed
    # The adapter alone, without a session: that would read the whole body of a redirect before
    # telling us of it, keep cookies, and let a .netrc or a proxy of the environment interfere.
    with contextlib.closing(OneCallAdapter(call)) as adapter:
        timeout = (min(CONNECT_SECONDS, call.left()), call.left())
        with adapter.send(prepared, stream=True, timeout=timeout) as response:
            call.status = response.status_code
            body = _body(call, response) if call.status == 200 else _error_body(call, response)
            return Reply(call.status, response.headers, body)


def _body(call: Call, response: requests.Response) -> bytes:
    raw = _read(response, MOST_BYTES)
    if len(raw) > MOST_BYTES:
        raise OSError("the answer is too large")
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    return raw if coding in ("", "identity") else _unpack(raw, coding)


def _error_body(call: Call, response: requests.Response) -> bytes:
    """What there is of an error's text; its status alone already says what happened."""
    call.deadline = min(call.deadline, time.monotonic() + ERROR_SECONDS)
    try:
        raw = _read(response, MOST_ERROR_BYTES)[:MOST_ERROR_BYTES]
        coding = response.headers.get("content-encoding", "identity").strip().lower()
        return raw if coding in ("", "identity") else _unpack(raw, coding)
    except FAILURES:
        return b""


def _read(response: requests.Response, most: int) -> bytes:
    """At most `most` + 1 bytes as they came: no decoding, and a cut is an error."""
    parts, size = [], 0
    while size <= most and (part := response.raw.read(min(STEP, most + 1 - size), decode_content=False)):
        parts.append(part)
        size += len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _unpack(raw: bytes, coding: str) -> bytes:
    """Undo a coding that nobody asked for, never into more than an answer may have."""
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise OSError("the answer is in a coding that was not asked for")
    decoder = zlib.decompressobj(wbits=47)  # either header
    try:
        body = decoder.decompress(raw, MOST_BYTES)
    except zlib.error:
        raise OSError("the answer does not unpack") from None
    if not decoder.eof:
        raise OSError("the answer is cut or too large")
    return body


def _judge(call: Call, problem: Exception) -> Busy | Unknown:
    """What a failed exchange means: only a request that was sent whole may have bought something."""
    if not call.sent:
        return Busy(_(NOTHING_SENT[_cause(problem)]))
    if call.deadline <= time.monotonic() or _has(problem, TimeoutError):
        return Unknown(_("The provider did not answer in time."), call.status)
    if call.status is not None and not _has(problem, IncompleteRead, http.client.IncompleteRead):
        return Unknown(_("The provider's answer could not be read."), call.status)
    return Unknown(_("The connection broke before the answer was complete."), call.status)


def _cause(problem: BaseException) -> str:
    causes: dict[str, tuple[type[BaseException], ...]] = {
        "name": (NameResolutionError, socket.gaierror),
        "tls": (SSLError, ssl.SSLError),
        "refused": (ConnectionRefusedError,),
        "slow": (TimeoutError, requests.Timeout),
    }
    return next((name for name, kinds in causes.items() if _has(problem, *kinds)), "other")


def _has(problem: object, *kinds: type[BaseException], depth: int = 6) -> bool:
    """True if the exception, or one that it wraps in any of three libraries' ways, is of these kinds."""
    if isinstance(problem, kinds):
        return True
    if not isinstance(problem, BaseException) or depth == 0:
        return False
    inner = (*problem.args, problem.__cause__, problem.__context__, getattr(problem, "reason", None))
    return any(_has(one, *kinds, depth=depth - 1) for one in inner)
