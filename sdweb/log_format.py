"""How log lines look: for people (`line`), or one JSON object each (`json`); each says what it is about."""

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

Answer = Callable[[HttpRequest], HttpResponseBase]

FORMATS = ("line", "json")
OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
# Addresses of people, credentials in addresses of servers, keys of providers, tokens of ours, and what lets
# people in (invitations, links to a password or to pictures): they belong in no log.
SECRET = re.compile(
    r"(?<=://)[^/\s@]*@|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b(?:sk-|sdw_)[\w-]{6,}"
    r"|(?<=/join/)[\w-]+|(?<=/reset/key/)[\w-]+|(?<=/confirm-email/)[\w:-]+"
    r"|(?<=/s/)[0-9A-Za-z]{20,22}-[0-9A-Za-z]+"
)


class About(logging.Filter):
    """Puts on each record what the work at hand is about."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record."""
        for name, value in log_context.fields().items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


class Line(logging.Formatter):
    """One line for people, and what it is about behind it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and a traceback if there is one."""
        text = super().format(record)
        first, newline, rest = text.partition("\n")
        about = "".join(f" {name}={value}" for name, value in facts(record).items())
        return without_secrets(f"{first}{about}{newline}{rest}")


class Json(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and what it is about."""

    def format(self, record: logging.LogRecord) -> str:
        """The object, without a line break."""
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        said: dict[str, Any] = {
            **facts(record),
            "time": at.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
        }
        if record.exc_info and record.exc_info[0]:
            said["exception"] = without_secrets("".join(traceback.format_exception(*record.exc_info)).strip())
        return json.dumps(said, default=str, ensure_ascii=False)


def facts(record: logging.LogRecord) -> Mapping[str, object]:
    """What was given with `extra=` or named by `trace.following`; nothing that is an object of Django's."""
    return {
        name: without_secrets(value) if isinstance(value, str) else value
        for name, value in vars(record).items()
        if name not in OWN and isinstance(value, (str, int, float, list, uuid.UUID))
    }


def without_secrets(text: str) -> str:
    """The text, with an ellipsis for what must not be in a log."""
    return SECRET.sub("…", text)


def named_requests(get_response: Answer) -> Answer:
    """Give each request a name that its log lines carry and `X-Request-ID` tells; a sane one is kept."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        with log_context.bind(request=(name := _name(request))):
            return _named(get_response(request), name)

    return answer


def _name(request: HttpRequest) -> str:
    given = request.headers.get("X-Request-ID", "")
    return given if SANE.fullmatch(given) else uuid.uuid4().hex


def _named(response: HttpResponseBase, name: str) -> HttpResponseBase:
    response["X-Request-ID"] = name
    return response
