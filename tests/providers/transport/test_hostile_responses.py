"""Whatever bytes a provider sends, a call ends soon, in an image or in one of the four errors."""

from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from generations.providers import open_provider
from generations.providers.base import Accepted, Done, ProviderError, Task
from generations.providers.transport import error_text
from generations.providers.transport.media_check import InvalidImage, validate_image
from tests.providers.fake_provider import KEY, FakeProvider, make_image
from tests.providers.smallest_requests import smallest
from tests.providers.specification import FORMATS

NAMES = [
    "image",
    "artifacts",
    "base64",
    "result",
    "finish_reason",
    "finishReason",
    "seed",
    "error",
    "errors",
    "message",
    "name",
    "code",
    "type",
    "id",
    "status",
]
HEADERS = [
    "content-type",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "finish-reason",
    "seed",
    "retry-after",
    "location",
    "set-cookie",
    "x-request-id",
    "connection",
]
often = settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))

words = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [KEY, KEY[:9] + "***" + KEY[-4:], "SUCCESS", "gzip", "chunked", "5", "-1", "http://[", "\ud800"]
    ),
)
things = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)
pictures = st.sampled_from([make_image(kind) for kind in FORMATS])


@st.composite
def corrupted_images(draw) -> bytes:
    """Draw an image with some bytes changed, perhaps truncated."""
    data = bytearray(draw(pictures))
    for _ in range(draw(st.integers(0, 8))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))])


bodies = st.one_of(
    st.binary(max_size=300), things.map(lambda thing: json.dumps(thing).encode()), corrupted_images()
)


@st.composite
def answers(draw) -> bytes:
    """Draw something like an HTTP response."""
    body = draw(bodies)
    status = draw(
        st.sampled_from([200, 200, 200, 202, 301, 400, 401, 403, 422, 429, 500, 503]) | st.integers(0, 1100)
    )
    lines = draw(st.dictionaries(st.sampled_from(HEADERS), words, max_size=4))
    if draw(st.booleans()):
        lines["content-length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode("utf-8", "surrogatepass") + body


# What the engine may have kept of a task, also one of an older version.
tasks = st.builds(
    Task,
    remote_id=st.sampled_from(["1", "5e" * 32]),
    state=st.dictionaries(st.sampled_from(["seed", "model", "roles"]), st.none(), max_size=3)
    | st.just({"seed": 5, "model": "erase", "roles": ["image", "mask"]})
    | st.just({"model": "gone", "roles": ["image"]}),
)


@pytest.fixture(scope="module")
def fake_provider():
    server = FakeProvider()
    yield server
    server.close()


def outcome(call, kind: type[Exception]) -> tuple[object, Exception | None]:
    """Return the result of a call, or the error of this class; any other error fails the test."""
    try:
        return call(), None
    except kind as problem:
        return None, problem


def assert_expected(result: object, problem: ProviderError | None) -> None:
    assert result is None or isinstance(result, Done | Accepted | float)
    if isinstance(result, Accepted):
        assert result.poll_after >= 10
        assert re.fullmatch(r"[\w~:-][\w.~:-]{0,127}", result.task.remote_id, re.ASCII)
        assert len(json.dumps(dict(result.task.state))) < 4096
    if problem:
        assert len(problem.reason) <= 300
        assert problem.reason.isprintable()
        assert KEY not in f"{problem!r}{problem.__dict__}"
        assert problem.__context__ is None


@often
@given(
    sent=st.one_of(answers(), st.binary(max_size=200)),
    model=st.sampled_from(["core", "sdxl", "erase", "style-transfer", "upscale-creative"]),
    task=tasks,
)
@example(
    sent=b"HTTP/1.1 200 OK\r\nSet-Cookie: =;;\x00\r\nContent-Length: 99999999999999999999\r\n\r\n",
    model="core",
    task=Task("1"),
)
@example(
    sent=b"HTTP/1.1 302 X\r\nLocation: \xff\xfe//\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nx",
    model="core",
    task=Task("1"),
)
@example(
    sent=b'HTTP/1.1 200 OK\r\n\r\n{"id": "../../v1/user/account", "status": "in-progress"}',
    model="upscale-creative",
    task=Task("1"),
)
def test_any_response_gives_an_image_a_task_or_a_provider_error(fake_provider, sent, model, task):
    provider = open_provider("stability", fake_provider.address, KEY)
    calls = (
        lambda: provider.submit(smallest(model), timeout=1),
        lambda: provider.poll(task, timeout=1),
        lambda: provider.balance(timeout=1),
    )
    for call in calls:
        fake_provider.plan = [sent]
        started = time.monotonic()
        assert_expected(*outcome(call, ProviderError))
        assert time.monotonic() - started < 5  # the deadline is after one


@often
@given(corrupted_images() | st.binary(max_size=300))
def test_any_bytes_are_a_valid_image_or_an_error(data):
    image, problem = outcome(lambda: validate_image(data), InvalidImage)
    assert image.width * image.height > 0 if image else problem.__context__ is None


@often
@given(st.text(max_size=400), st.integers(0, 400), st.sampled_from([KEY, KEY.upper(), KEY[:30], KEY[5:25]]))
def test_a_key_is_redacted_at_any_position(text, at, key):
    said = error_text.clean(text[:at] + key + text[at:], KEY)
    assert not any(KEY[at : at + 9].lower() in said.lower() for at in range(len(KEY) - 8))


@pytest.mark.parametrize(
    "masked",
    [
        "sk-Te***wxyz",
        "sk-Tes...wxyz",
        "sk-TestKey…",
        "sk-****************************wxyz",
        "Bearer abc",
        "***************wxyz",
    ],
)
@pytest.mark.parametrize("text", ["Incorrect API key provided: {}.", "{}", '"{}" is wrong', "key={}"])
def test_a_masked_key_is_redacted(masked, text):
    said = error_text.clean(text.format(masked), KEY)
    assert "[key]" in said
    assert "wxyz" not in said
    assert "sk-" not in said


def test_ordinary_text_is_not_changed():
    for text in (
        "seed: must be a number from 0 to 4294967294",
        "prompt: is required...",
        "see task-1 and risk-free",
    ):
        assert error_text.clean(text, KEY) == text


@pytest.mark.parametrize("letter", ["0", "<", "*", "x", "-", "a*", ". ", "sk-", "\u200b", "<a", "Bearer "])
def test_a_text_crafted_to_be_slow_is_parsed_quickly(letter):
    body = json.dumps({"message": letter * 60_000, "name": letter * 60_000}).encode()
    started = time.thread_time()
    error_text.parse_error_body(body, KEY)
    error_text.clean(letter * 60_000, KEY)
    assert time.thread_time() - started < 2  # of this thread's own CPU; what is not bounded takes minutes
