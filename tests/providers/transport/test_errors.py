"""What any system's errors mean: common to all, and by the table of a system."""

from __future__ import annotations

import json
import re

import pytest

from generations.providers.base import (
    CONTENT_CODES,
    Busy,
    ModelUnavailable,
    ProviderError,
    Refused,
    Unavailable,
    Unknown,
)
from generations.providers.transport import errors
from generations.providers.transport.error_text import Envelope
from generations.providers.transport.errors import ErrorTable
from generations.providers.transport.http import Reply
from tests.providers.fake_provider import KEY

TABLE = ErrorTable(
    envelope=Envelope(
        marks=frozenset({"trace"}), forms=(frozenset({"trace", "code"}),), codes=("code", "kind")
    ),
    codes={"1101": Refused, "1102": Unavailable, "1302": Busy, "lost": Unknown, "5000": ModelUnavailable},
    statuses={418: Unavailable, 409: Busy},
    content_codes=frozenset({"1301"}),
    content_words=re.compile("risk control", re.IGNORECASE),
    reasons={"1101": "Its field is wrong.", 418: "never read"},
    largest_request="it takes 4 MB",
)


def reply(status: int, data: object) -> Reply:
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    return Reply(status, {"x-request-id": "r-7"}, body)


def own(code: object, message: str = "told", **more: object) -> dict[str, object]:
    return {"trace": "t", "code": code, "message": message, **more}


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (reply(200, own(1101)), Refused, "Its field is wrong."),
        (reply(200, own(1102)), Unavailable, "cannot be used now (HTTP 200): told."),
        (reply(429, own(1302)), Busy, "a pause"),
        (reply(400, own(5000)), ModelUnavailable, "does not have this model"),
        (reply(400, own("LOST")), Unknown, "without an image"),
        (reply(200, own(1301)), Refused, "refused this prompt (content)"),
        (reply(400, own(9, "stopped by risk control")), Refused, "refused this prompt (content)"),
        (reply(418, own("tea")), Unavailable, "told"),
        (reply(409, own("soon")), Busy, "a pause"),
        (reply(451, b"no"), Refused, "refused this prompt (content)"),
        (reply(500, own(1)), Busy, "having trouble"),  # in its own words: proof that nothing was bought
        (reply(500, {"code": 1, "message": "told"}), Unknown, "lost on its way"),
        (reply(500, {"error": {"message": "do_request_failed"}}), Unknown, "lost on its way"),
        (reply(503, {"error": {"message": "wait"}}), Busy, "having trouble"),
        (reply(413, b""), Refused, "too large for the provider: it takes 4 MB."),
        (reply(422, {"detail": [{"loc": ["body", "steps"], "msg": "is high"}]}), Refused, "steps: is high"),
        (reply(400, {"detail": "Bad prompt"}), Refused, "Bad prompt"),
        (reply(400, b"Some plain words"), Refused, "Some plain words"),
        (reply(200, {"data": []}), Unknown, "without an image"),
        (reply(403, {"error": {"code": 403, "message": "用户额度不足"}}), Unavailable, "cannot be used"),
    ],
)
def test_the_table_of_a_system_says_what_its_errors_mean(answer, kind, words):
    error = errors.to_error(answer, KEY, TABLE)
    assert type(error) is kind
    assert words in error.reason
    assert (error.status, error.request_id) == (answer.status, "r-7")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (own(1301), "content_moderation"),
        ({"error": {"code": "moderation_blocked", "type": "x_error"}}, "moderation_blocked"),
    ],
)
def test_moderation_has_a_code_that_the_portal_knows(data, code):
    error = errors.to_error(reply(400, data), KEY, TABLE)
    assert error.code == code
    assert code in CONTENT_CODES


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply(400, own(1101)), Refused),
        (reply(200, own(1301)), Refused),
        (reply(404, own("gone")), Unknown),
        (reply(404, b"<html>"), Unknown),
        (reply(400, {"error": {"message": "a gateway's"}}), Unknown),
        (reply(401, own("key")), Unavailable),
        (reply(502, b"<html>"), Unknown),
    ],
)
def test_only_the_last_word_of_the_maker_ends_a_task(answer, kind):
    assert type(errors.to_poll_error(answer, KEY, TABLE)) is kind


def test_no_part_of_the_key_is_in_an_error_of_any_system():
    texts = [f"key {KEY}", {"detail": f"Bad {KEY}"}, own(f"x-{KEY[:20]}", f"Bearer {KEY}"), [KEY]]
    for text in texts:
        error: ProviderError = errors.to_error(reply(400, text), KEY, TABLE)
        assert KEY[4:14] not in f"{error.reason}{error.code}{error.request_id}{error!r}"
