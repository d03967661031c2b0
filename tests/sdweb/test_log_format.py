"""Logs: one object per line, one request id from a request to the provider's call, and no secrets."""

import io
import json
import logging
import uuid

import pytest
from asgiref.sync import async_to_sync
from django.urls import reverse
from django.utils import timezone

from generations.core import log_context
from generations.jobs.models import Generation
from sdweb import log_format
from tests.conftest import work


@pytest.fixture
def logged():
    """Collect what is logged in a test as JSON; call it for the objects so far."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(log_format.JsonFormatter())
    handler.addFilter(log_format.ContextFilter())
    logging.getLogger().addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().removeHandler(handler)


def make_record(message, *arguments, **extra):
    record = logging.getLogger("room").makeRecord("room", logging.INFO, "f", 1, message, arguments, None)
    vars(record).update(extra)
    return record


def formatted(formatter, record):
    log_format.ContextFilter().filter(record)
    return formatter.format(record)


@pytest.mark.django_db(transaction=True)
def test_the_request_id_is_logged_from_the_request_to_the_providers_call(
    client, member, upstream, provider, logged, caplog
):
    caplog.set_level(logging.INFO)
    client.force_login(member.user)
    form = {"model": "core", "prompt": "a secret garden", "count": "1", "aspect_ratio": "1:1"}
    form |= {"output_format": "png", "submission": str(uuid.uuid4()), "prices_at": timezone.now().isoformat()}
    address = reverse("jobs:create", args=[member.team.slug])
    answer = client.post(address, form, HTTP_X_REQUEST_ID="a-request-of-ours")
    assert answer.status_code == 302, answer.content.decode()
    assert answer["X-Request-ID"] == "a-request-of-ours"
    work()
    row = Generation.objects.get()
    [submitted] = [line for line in logged() if line["message"] == "submitted"]
    assert (submitted["request"], submitted["generations"]) == ("a-request-of-ours", [str(row.pk)])
    steps = [line for line in logged() if line.get("generation") == str(row.pk)]
    assert [line["message"] for line in steps] == ["claimed", "called", "stored", "settled"]
    assert {(line["attempt"], line["upstream"]) for line in steps} == {(1, "sandbox")}
    called = steps[1]
    assert (called["outcome"], called["status"]) == ("ok", 200)
    assert called["seconds"] < 10
    assert called["provider_request"] == row.attempts.get().request_id
    said = json.dumps(logged())
    assert not [word for word in ("secret garden", member.user.email, upstream.key) if word in said]


@pytest.mark.django_db(transaction=True)
def test_a_call_without_an_image_logs_its_outcome(submit, upstream, provider, logged, caplog):
    caplog.set_level(logging.INFO)
    provider.plan("403")
    submit()
    work()
    calls = [line for line in logged() if line["message"] == "called"]
    assert [(line["outcome"], line["status"]) for line in calls] == [("refused", 403)]
    [end] = [line for line in logged() if line["message"] == "ended without a charge"]
    assert end["generation"] == calls[0]["generation"]


@pytest.mark.parametrize(
    "given", ["", "short", "a b c d e f g h", "x" * 65, "evil\tname-of-mine", "ünïcödé-name"]
)
@pytest.mark.django_db
def test_an_invalid_request_id_is_replaced(client, given):
    answer = client.get("/healthz", HTTP_X_REQUEST_ID=given)
    assert log_format.REQUEST_ID.fullmatch(answer["X-Request-ID"])
    assert answer["X-Request-ID"] != given


@pytest.mark.django_db
def test_asynchronous_requests_have_ids_too(async_client):
    answer = async_to_sync(async_client.get)("/healthz", headers={"X-Request-ID": "from-the-proxy-1"})
    assert answer["X-Request-ID"] == "from-the-proxy-1"
    assert log_context.fields() == {}


def test_bound_fields_are_logged_only_within_their_block():
    with log_context.bind(generation="g", attempt=1):
        with log_context.bind(upstream="u"):
            inner = json.loads(formatted(log_format.JsonFormatter(), make_record("called")))
        outer = json.loads(formatted(log_format.JsonFormatter(), make_record("stored")))
    after = json.loads(formatted(log_format.JsonFormatter(), make_record("else")))
    assert (inner["generation"], inner["attempt"], inner["upstream"]) == ("g", 1, "u")
    assert "upstream" not in outer
    assert set(after) == {"time", "level", "logger", "message"}


def test_each_json_line_is_one_object():
    problem = ValueError("first\nsecond")
    failed = make_record('a\n"b" %s', "ä")
    failed.exc_info = (ValueError, problem, None)
    line = formatted(log_format.JsonFormatter(), failed)
    assert "\n" not in line
    said = json.loads(line)
    assert (said["message"], said["level"], said["logger"]) == ('a\n"b" ä', "INFO", "room")
    assert "second" in said["exception"]


@pytest.mark.parametrize(
    "formatter", [log_format.JsonFormatter(), log_format.LineFormatter("{message}", style="{")]
)
def test_secrets_are_redacted(formatter):
    made = make_record(
        "mei.o+x@studio.example cannot reach redis://:hunter2@127.0.0.1:6379/0 with %s and %s",
        "sk-1234567890abcdef",
        "sdw_HDPCORAhbpXJTah8CyV25WJzWAlwSQpJECY6A4CU08Vrio",
        request="mei@studio.example",
    )
    line = formatted(formatter, made)
    assert not [secret for secret in ("studio.example", "hunter2", "1234567890", "HDPCO") if secret in line]
    assert "127.0.0.1:6379" in line


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("mei.o+x@studio.example", "…"),
        ("redis://:hunter2@cache", "redis://…cache"),
        ("sk-1234567890", "…"),
        ("sdw_HDPCORAh", "…"),
        ("/join/an-invitation", "/join/…"),
        ("/reset/key/3-abc", "/reset/key/…"),
        ("/confirm-email/Mq:1t:x", "/confirm-email/…"),
        ("/s/1234567890abcdefghij-k", "/s/…"),
    ],
)
def test_each_kind_of_secret_is_redacted_where_there_is_no_other(said, logged):
    assert log_format.redact(f"before {said} after") == f"before {logged} after"


def test_a_line_for_people_ends_with_the_extra_fields():
    with log_context.bind(generation="g-1"):
        assert formatted(
            log_format.LineFormatter("{message}", style="{"), make_record("called", seconds=1.5)
        ) in {"called seconds=1.5 generation=g-1"}
