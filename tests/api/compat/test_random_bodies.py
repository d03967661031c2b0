"""Random bodies, headers and paths: each gets a documented error and changes nothing."""

from __future__ import annotations

import asyncio
import json
import os
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generations.api.compat import stability_v2beta
from generations.api.compat.base import HttpRequest
from generations.api.compat.errors import CompatError
from generations.api.compat.openai import ImagesGenerations
from generations.api.compat.openai_edits import ImagesEdits
from generations.api.compat.stability_v1 import TextToImage
from generations.api.compat.stability_v1_images import ImageToImage
from generations.api.compat.stability_v2beta import StableImage
from generations.credits.models import Hold
from generations.jobs.live import sse
from generations.jobs.models import Batch
from generations.library.models import Upload
from generations.providers.catalogue import registry as catalogue_registry
from sdweb.asgi import application
from tests.api.conftest import CORE, EDITS, IMAGES, V1

BOUNDARY = "boundary-of-the-parts"
NAMES = [
    *("prompt", "image", "seed", "model", "mode", "strength", "none", "aspect_ratio", "", "a\r\nb", "é"),
    *("image[]", "image[0]", "image[x]", "mask", "n", "size", "left", "creativity", "subject_image"),
    *("init_image", "mask_image", "mask_source", "init_image_mode", "image_strength", "step_schedule_end"),
    *("text_prompts[0][text]", "text_prompts[0][weight]", "text_prompts[999][text]"),
]
VALUES = st.one_of(
    st.binary(max_size=60), st.sampled_from([b"", b"1", b"0.5", b"1:1", b"sd3", b"\0", b"\xff"])
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
FIELDS = [
    "text_prompts",
    "width",
    "height",
    "samples",
    "seed",
    "steps",
    "cfg_scale",
    "sampler",
    "extras",
    "prompt",
    "n",
    "size",
    "model",
    "response_format",
    "style_preset",
    "aspect_ratio",
    "stream",
    "image",
    "images",
    "mask",
]
OBJECTS = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=8)
PARTS = st.lists(st.tuples(st.sampled_from(NAMES), st.booleans(), VALUES), max_size=8)


def multipart(parts):
    body = b""
    for name, is_file, value in parts:
        head = f'Content-Disposition: form-data; name="{name}"' + ('; filename="a.png"' if is_file else "")
        body += f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + value + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()


def parse(format_, parts, body, content_type=f"multipart/form-data; boundary={BOUNDARY}"):
    """Parse a body: it is a valid request of the catalogue, or gets a documented error."""
    try:
        request = format_.parse(HttpRequest(parts, {"content-type": content_type}, body))
    except CompatError as refusal:
        check_refusal(format_, refusal)
    else:
        roles = {file.role for file in request.files}
        model = catalogue_registry.get(request.model)
        assert catalogue_registry.validate(model, request.parameters, roles=roles) == request.parameters
        assert 1 <= request.count <= 10


def check_refusal(format_, refusal):
    assert refusal.status in {400, 404}
    document = json.loads(format_.respond_error(refusal, "a-name").body)
    assert document.get("errors") or document.get("message") or document["error"]["message"]


HEADERS = st.text(st.characters(max_codepoint=255), max_size=60)
EXAMPLES = int(os.environ.get("SDWEB_RANDOM_BODIES", "200"))
MANY = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
ENDPOINTS = st.sampled_from(
    [{"endpoint": path, "gateway": "/sd"} for path in sorted(stability_v2beta.ENDPOINTS)]
)


@pytest.mark.django_db  # which models are served
@MANY
@given(ENDPOINTS, PARTS)
def test_any_form_is_a_valid_request_or_is_refused(parts, form):
    parse(StableImage(), parts, multipart(form))
    parse(ImagesEdits(), {}, multipart(form))
    for masking in ("", "/masking"):
        engine = {"engine": "stable-diffusion-v1-6", "gateway": "", "masking": masking}
        parse(ImageToImage(), engine, multipart(form))


@MANY
@given(ENDPOINTS, st.binary(max_size=300), HEADERS)
def test_any_bytes_of_any_content_type_are_refused(parts, body, content_type):
    parse(StableImage(), parts, body, content_type)
    parse(StableImage(), parts, body, f"multipart/form-data; boundary={content_type}")
    parse(StableImage(), parts, body, "application/x-www-form-urlencoded")
    parse(StableImage(), parts, f"--{BOUNDARY}\r\n".encode() + body)


@pytest.mark.django_db  # which models are served
@MANY
@given(OBJECTS | JSON, st.sampled_from(["stable-diffusion-xl-1024-v1-0", "x"]))
def test_any_json_is_a_valid_request_or_is_refused(value, engine):
    body = json.dumps(value).encode()
    parse(TextToImage(), {"engine": engine}, body)
    parse(ImagesGenerations(), {}, body)
    parse(ImagesEdits(), {}, body, "application/json")


def random_call(rng, secret):
    """Make a call, mostly with a valid token and an invalid body."""
    path = rng.choice(
        [CORE, CORE.replace("core", "sd3"), "/sd" + CORE, V1, IMAGES, EDITS, "/v1/models", "/v1/\0é"]
    )
    body = rng.randbytes(rng.randrange(200))
    if rng.random() < 0.5:
        parts = [(rng.choice(NAMES), rng.random() < 0.5, rng.randbytes(9)) for _ in range(rng.randrange(5))]
        body = multipart([part for part in parts if part[0] != "prompt"])
    elif rng.random() < 0.5:
        body = json.dumps({rng.choice(FIELDS): rng.choice([-1, "", [], {}, 1e300, "\ud800"])}).encode()
    types = [
        f"multipart/form-data; boundary={BOUNDARY}",
        "application/json",
        "",
        "text/\xff",
        "multipart/form-data",
    ]
    headers = [
        (b"authorization", rng.choice([f"Bearer {secret}"] * 8 + ["Bearer sdw_", "\xff"]).encode("latin-1")),
        (b"content-type", rng.choice(types).encode("latin-1")),
        (b"accept", rng.randbytes(8)),
        (b"x-request-id", rng.randbytes(12)),
    ]
    if rng.random() < 0.1:
        headers.append((b"content-length", rng.choice([b"-1", b"x", b"99999999999", b"\xff"])))
    if rng.random() < 0.1:
        headers.append((b"idempotency-key", rng.randbytes(5)))
    scope = {"type": "http", "method": rng.choice(["POST"] * 6 + ["GET", "PUT"]), "path": path}
    return scope | {"query_string": b"", "headers": headers}, body


async def status_of(scope, body):
    sent, incoming = [], [{"type": "http.request", "body": body, "more_body": False}]

    async def receive():
        return incoming.pop(0) if incoming else await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    await application(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in sent[1:])
    assert isinstance(json.loads(content), dict | list)
    return sent[0]["status"]


@pytest.mark.django_db(transaction=True)
def test_random_calls_get_documented_errors_and_hold_or_store_nothing(upstream, secret, settings):
    settings.API_REQUESTS_PER_TOKEN = settings.API_REQUESTS_PER_MEMBER = 1_000_000
    rng = random.Random(6)
    calls = [random_call(rng, secret) for _ in range(EXAMPLES)]

    async def story():
        found = []
        for start in range(0, len(calls), 20):
            found += await asyncio.gather(*(status_of(*call) for call in calls[start : start + 20]))
        await sse.hub().end()
        return found

    statuses = asyncio.run(story())
    assert set(statuses) <= {200, 400, 401, 404, 413}
    assert statuses.count(400) > len(calls) / 3
    assert not Batch.objects.exists()
    assert not Hold.objects.exists()
    assert not Upload.objects.exists()
