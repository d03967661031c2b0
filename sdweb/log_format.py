"""Log formats: `line` for people, `json` with one object per line; request ids; redaction of secrets."""

from __future__ import annotations

import datetime
import json
import logging
import re
import traceback
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from generations.core import log_context

GetResponse = Callable[[HttpRequest], HttpResponseBase]

STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}
REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
# Never logged: mail addresses, credentials in URLs, keys of providers, API tokens, and the secret part of
# links (invitations, password resets, mail confirmations, share links).
SECRET = re.compile(
    r"(?<=://)[^/\s@]*@|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b(?:sk-|sdw_)[\w-]{6,}"
    r"|(?<=/join/)[\w-]+|(?<=/reset/key/)[\w-]+|(?<=/confirm-email/)[\w:-]+"
    r"|(?<=/s/)[0-9A-Za-z]{20,22}-[0-9A-Za-z]+"
)
# Every secret has one of these in it or before it. To look for them is a twentieth of the search for secrets.
MARKS = ("@", "sk-", "sdw_", "/join/", "/reset/key/", "/confirm-email/", "/s/")


class ContextFilter(logging.Filter):
    """Add the fields of the log context to each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the fields; drop no record."""
        for name, value in log_context.fields().items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


class LineFormatter(logging.Formatter):
    """One line for people, followed by the extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the traceback if there is one."""
        text = super().format(record)
        first, newline, rest = text.partition("\n")
        extra = "".join(f" {name}={value}" for name, value in extra_fields(record).items())
        return redact(f"{first}{extra}{newline}{rest}")


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, message, and the extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object without line breaks."""
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        entry: dict[str, Any] = {
            **extra_fields(record),
            "time": at.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if record.exc_info and record.exc_info[0]:
            entry["exception"] = redact("".join(traceback.format_exception(*record.exc_info)).strip())
        return json.dumps(entry, default=str, ensure_ascii=False)


def extra_fields(record: logging.LogRecord) -> Mapping[str, object]:
    """Return the plain values that came by `extra=` or `log_context.bind`."""
    return {
        name: redact(value) if isinstance(value, str) else value
        for name, value in vars(record).items()
        if name not in STANDARD_ATTRIBUTES and isinstance(value, (str, int, float, list, uuid.UUID))
    }


def redact(text: str) -> str:
    """Return the text with an ellipsis in place of every secret."""
    for mark in MARKS:
        if mark in text:
            return SECRET.sub("…", text)
    return text


def request_id_middleware(get_response: GetResponse) -> GetResponse:
    """Give each request an id for its log records and `X-Request-ID`; keep a valid one from the client."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        received = request.headers.get("X-Request-ID", "")
        request_id = received if REQUEST_ID.fullmatch(received) else uuid.uuid4().hex
        with log_context.bind(request=request_id):
            response = get_response(request)
            response["X-Request-ID"] = request_id
            return response

    return middleware
