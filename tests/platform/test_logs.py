"""Logs: one object a line, one name from a request to the provider's own, and no secrets."""

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
from tests.gate import PLACEHOLDERS
from tests.platform.portal import bare_environment, manage


@pytest.fixture
def written():
    """What the portal logs in a test, as JSON; call it for the objects so far."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(log_format.Json())
    handler.addFilter(log_format.About())
    logging.getLogger().addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().removeHandler(handler)


def record(message, *arguments, **more):
    made = logging.getLogger("room").makeRecord("room", logging.INFO, "f", 1, message, arguments, None)
    vars(made).update(more)
    return made


def formatted(formatter, made):
    log_format.About().filter(made)
    return formatter.format(made)


@pytest.mark.django_db(transaction=True)
def test_one_name_leads_from_the_request_to_the_providers_call(
    client, member, upstream, provider, written, caplog
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
    [submitted] = [line for line in written() if line["message"] == "submitted"]
    assert (submitted["request"], submitted["generations"]) == ("a-request-of-ours", [str(row.pk)])
    steps = [line for line in written() if line.get("generation") == str(row.pk)]
    assert [line["message"] for line in steps] == ["claimed", "called", "stored", "settled"]
    assert {(line["attempt"], line["upstream"]) for line in steps} == {(1, "sandbox")}
    called = steps[1]
    assert (called["outcome"], called["status"]) == ("ok", 200)
    assert called["seconds"] < 10
    assert called["provider_request"] == row.attempts.get().request_id
    said = json.dumps(written())
    assert not [word for word in ("secret garden", member.user.email, upstream.key) if word in said]


@pytest.mark.django_db(transaction=True)
def test_a_call_that_brings_nothing_says_how_it_ended(submit, upstream, provider, written, caplog):
    caplog.set_level(logging.INFO)
    provider.plan("403")
    submit()
    work()
    calls = [line for line in written() if line["message"] == "called"]
    assert [(line["outcome"], line["status"]) for line in calls] == [("refused", 403)]
    [end] = [line for line in written() if line["message"] == "ended without a charge"]
    assert end["generation"] == calls[0]["generation"]


@pytest.mark.parametrize(
    "given", ["", "short", "a b c d e f g h", "x" * 65, "evil\tname-of-mine", "ünïcödé-name"]
)
@pytest.mark.django_db
def test_a_request_whose_name_makes_no_sense_gets_another(client, given):
    answer = client.get("/healthz", HTTP_X_REQUEST_ID=given)
    assert log_format.SANE.fullmatch(answer["X-Request-ID"])
    assert answer["X-Request-ID"] != given


@pytest.mark.django_db
def test_requests_to_the_asynchronous_server_are_named_too(async_client):
    answer = async_to_sync(async_client.get)("/healthz", headers={"X-Request-ID": "from-the-proxy-1"})
    assert answer["X-Request-ID"] == "from-the-proxy-1"
    assert log_context.fields() == {}


def test_what_a_line_is_about_ends_with_the_work():
    with log_context.bind(generation="g", attempt=1):
        with log_context.bind(upstream="u"):
            inner = json.loads(formatted(log_format.Json(), record("called")))
        outer = json.loads(formatted(log_format.Json(), record("stored")))
    after = json.loads(formatted(log_format.Json(), record("else")))
    assert (inner["generation"], inner["attempt"], inner["upstream"]) == ("g", 1, "u")
    assert "upstream" not in outer
    assert set(after) == {"time", "level", "logger", "message"}


def test_a_line_is_one_object_whatever_it_says():
    problem = ValueError("first\nsecond")
    failed = record('a\n"b" %s', "ä")
    failed.exc_info = (ValueError, problem, None)
    line = formatted(log_format.Json(), failed)
    assert "\n" not in line
    said = json.loads(line)
    assert (said["message"], said["level"], said["logger"]) == ('a\n"b" ä', "INFO", "room")
    assert "second" in said["exception"]


@pytest.mark.parametrize("formatter", [log_format.Json(), log_format.Line("{message}", style="{")])
def test_addresses_and_keys_are_left_out(formatter):
    made = record(
        "mei.o+x@studio.example cannot reach redis://:hunter2@127.0.0.1:6379/0 with %s and %s",
        "sk-1234567890abcdef",
        "sdw_HDPCORAhbpXJTah8CyV25WJzWAlwSQpJECY6A4CU08Vrio",
        request="mei@studio.example",
    )
    line = formatted(formatter, made)
    assert not [secret for secret in ("studio.example", "hunter2", "1234567890", "HDPCO") if secret in line]
    assert "127.0.0.1:6379" in line


def test_a_line_for_people_ends_with_what_it_is_about():
    with log_context.bind(generation="g-1"):
        assert formatted(log_format.Line("{message}", style="{"), record("called", seconds=1.5)) in {
            "called seconds=1.5 generation=g-1"
        }


def test_a_format_that_is_none_is_named(tmp_path):
    environment = bare_environment(SDWEB_DATA=str(tmp_path), LOG_FORMAT="xml", **PLACEHOLDERS)
    done = manage("check", environment=environment)
    assert done.returncode == 1
    assert done.stderr.startswith("LOG_FORMAT is")
    assert done.stderr.count("\n") == 1
