"""All compatible formats: idempotency keys, rate limits, limits on bodies, security headers."""

from __future__ import annotations

import http.client
import threading
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest
import requests

from generations.api.models import IdempotentCall
from generations.core import request_body
from generations.credits.models import Hold
from generations.jobs.models import Batch, Generation, ModelRule
from generations.library.images import service as images_service
from generations.library.models import Image, Upload
from generations.library.trash import purge as trash_purge
from generations.teams.models import Membership
from tests.api.conftest import CORE, IMAGES, V1
from tests.conftest import work

LIMITS = {"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "x-ratelimit-limit"}


def core(address, headers, files=None, **data):
    data = {"prompt": "a harbour"} | data
    return requests.post(address + CORE, headers=headers, files=files or {"none": ""}, data=data, timeout=120)


def ask_each(address, headers, **more):
    """Send one call in each format."""
    yield core(address, headers, **more)
    yield requests.post(
        address + V1, headers=headers, json={"text_prompts": [{"text": "a harbour"}]} | more, timeout=120
    )
    yield requests.post(address + IMAGES, headers=headers, json={"prompt": "a harbour"} | more, timeout=120)


def test_fifty_clients_with_one_key_get_one_image_that_is_charged_once(portal, bearer, member):
    with ThreadPoolExecutor(50) as threads:
        asked = [threads.submit(core, portal, bearer | {"idempotency-key": "k1"}) for _ in range(50)]
        responses = [response.result() for response in asked]
    assert {response.status_code for response in responses} == {200}
    assert len({response.content for response in responses}) == 1
    assert len({response.headers["seed"] for response in responses}) == 1
    assert Generation.objects.count() == 1
    assert Membership.objects.get(pk=member.pk).wallet.available == 100_00 - 3_00
    assert core(portal, bearer | {"idempotency-key": "k1"}).content == responses[0].content


def test_a_repeated_call_does_not_return_an_image_that_was_deleted_since(portal, bearer, member):
    def send(kind):
        headers = bearer | {"idempotency-key": kind}
        if kind == "core":
            return core(portal, headers)
        path, body = {
            "v1": (V1, {"text_prompts": [{"text": "a harbour"}]}),
            "openai": (IMAGES, {"prompt": "a harbour"}),
        }[kind]
        return requests.post(portal + path, headers=headers, json=body, timeout=120)

    kinds = ("core", "v1", "openai")
    assert [send(kind).status_code for kind in kinds] == [200] * 3
    drawn = Generation.objects.count()
    images = list(Image.objects.values_list("pk", flat=True))
    images_service.trash(member=member, images=images)
    for _state in ("in the trash", "deleted for good"):
        for response in map(send, kinds):
            assert response.status_code == 410
            assert b"deleted" in response.content
        trash_purge.purge(member=member, images=images)
    assert Generation.objects.count() == drawn


def test_a_key_used_for_another_request_is_a_conflict_in_every_format(portal, bearer):
    for number, responses in enumerate(
        zip(ask_each(portal, bearer | {"idempotency-key": "k1"}), strict=False)
    ):
        assert responses[0].status_code == (200 if number == 0 else 409), responses[0].text
    other = core(portal, bearer | {"idempotency-key": "k1"}, prompt="a mountain")
    assert (other.status_code, other.json()["name"]) == (409, "idempotency_key_reused")
    assert core(portal, bearer | {"idempotency-key": "é".encode("latin-1")}).status_code == 400
    assert Batch.objects.count() == 1


def test_every_format_supports_idempotency_keys(portal, bearer):
    for name, path, body in (
        ("a", V1, {"text_prompts": [{"text": "x"}], "samples": 2}),
        ("b", IMAGES, {"prompt": "x"}),
    ):
        headers = bearer | {"idempotency-key": name}
        first, again = (
            requests.post(portal + path, headers=headers, json=body, timeout=120) for _ in range(2)
        )
        assert first.status_code == again.status_code == 200, first.text
        assert first.headers["x-generation-id"] == again.headers["x-generation-id"]
    assert Batch.objects.count() == 2


def test_a_key_with_another_start_image_is_a_conflict(portal, bearer, picture):
    address, headers = f"{portal}/v2beta/stable-image/generate/ultra", bearer | {"idempotency-key": "k"}

    def ask(file):
        data = {"prompt": "a harbour", "strength": "0.5"}
        return requests.post(
            address, headers=headers, data=data, files={"image": ("a.png", file)}, timeout=120
        )

    assert ask(picture()).status_code == ask(picture()).status_code == 200
    assert ask(picture(size=(64, 64))).status_code == 409
    assert Generation.objects.count() == 1


def test_a_refused_call_frees_its_key(portal, bearer, member):
    headers = bearer | {"idempotency-key": "k1"}
    assert core(portal, headers, prompt="").status_code == 400
    rule = ModelRule.objects.create(team=member.team, model="core", roles=["owner"])
    assert core(portal, headers).status_code == 403
    rule.delete()
    assert core(portal, headers, prompt="better").status_code == 200


def test_two_members_may_use_the_same_key(portal, bearer, issue, make_member):
    theirs = {"authorization": f"Bearer {issue(by=make_member('jonas'))}"}
    for headers in (bearer, theirs):
        assert core(portal, headers | {"idempotency-key": "k1"}).status_code == 200
    assert Generation.objects.count() == 2


def test_a_disconnected_client_repeats_its_call_with_the_key_and_gets_the_image(idle_portal, bearer):
    headers = bearer | {"idempotency-key": "k1"}
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            idle_portal + CORE, headers=headers, files={"none": ""}, data={"prompt": "a harbour"}, timeout=1
        )
    assert work() == 1
    assert core(idle_portal, headers).status_code == 200
    assert Generation.objects.count() == 1


def test_every_response_has_rate_limit_headers_and_too_many_requests_are_429(
    idle_portal, bearer, secret, settings
):
    settings.API_REQUESTS_PER_TOKEN = 5
    for response in ask_each(idle_portal, bearer, prompt="", text_prompts=[]):
        assert response.status_code == 400
        assert {name.lower() for name in response.headers} >= LIMITS
    responses = [
        requests.get(f"{idle_portal}/v1/user/balance", headers=bearer, timeout=120) for _ in range(3)
    ]
    assert [response.status_code for response in responses] == [200, 200, 429]
    refused = core(idle_portal, bearer)
    assert refused.status_code == 429
    assert refused.json()["id"] == refused.json()["name"] == "rate_limit_exceeded"
    assert int(refused.headers["retry-after"]) > 0
    client = openai.OpenAI(base_url=f"{idle_portal}/v1", api_key=secret, max_retries=0)
    with pytest.raises(openai.RateLimitError) as limited:
        client.images.generate(prompt="a harbour")
    assert limited.value.code == "rate_limit_exceeded"
    assert not Generation.objects.exists()


@pytest.mark.parametrize("path", [CORE, V1, IMAGES])
def test_a_content_length_over_ten_mebibytes_is_refused_before_the_body_is_read(idle_portal, bearer, path):
    response = requests.post(
        idle_portal + path, headers=bearer, data=b"x" * (10 * 1024 * 1024 + 1), timeout=120
    )
    assert response.status_code == 413
    said = response.json()
    assert "payload_too_large" in (said.get("name"), said.get("error", {}).get("code"))


def test_a_body_without_content_length_is_refused_once_it_is_too_large(idle_portal, bearer):
    sent = 0

    def endless():
        nonlocal sent
        while sent < 200:
            sent += 1
            yield b"x" * (256 * 1024)

    response = requests.post(idle_portal + CORE, headers=bearer, data=endless(), timeout=120)
    assert response.status_code == 413
    connection = http.client.HTTPConnection(idle_portal.removeprefix("http://"), timeout=120)
    connection.putrequest("POST", CORE)
    for name, value in (*bearer.items(), ("content-length", str(100 * 1024 * 1024))):
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 413  # though nothing was sent


def test_a_missing_token_is_refused_before_the_body_is_sent(idle_portal):
    connection = http.client.HTTPConnection(idle_portal.removeprefix("http://"), timeout=120)
    connection.putrequest("POST", CORE)
    connection.putheader("content-length", "1000000")
    connection.endheaders()
    assert connection.getresponse().status == 401


def test_a_body_that_does_not_arrive_times_out(idle_portal, bearer, monkeypatch):
    monkeypatch.setattr(request_body, "SECONDS", 0.5)
    connection = http.client.HTTPConnection(idle_portal.removeprefix("http://"), timeout=120)
    connection.putrequest("POST", CORE)
    for name, value in (*bearer.items(), ("content-length", "1000")):
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(b"x")
    assert connection.getresponse().status == 408


def test_a_file_of_almost_ten_mebibytes_is_read(portal, bearer, picture):
    noise = picture("bmp", (1800, 1800))  # not an accepted format, and almost as large as a body may be
    assert 9_700_000 < len(noise) < 10_000_000
    address = f"{portal}/v2beta/stable-image/generate/ultra"
    data = {"prompt": "a harbour", "strength": "0.5"}
    response = requests.post(
        address, headers=bearer, data=data, files={"image": ("a.bmp", noise)}, timeout=120
    )
    assert response.status_code == 400
    assert response.json()["errors"][0].startswith("image: ")
    assert not Upload.objects.exists()


def test_every_response_has_security_headers(idle_portal, bearer):
    for response in (
        requests.get(f"{idle_portal}/v1/user/balance", headers=bearer, timeout=120),
        requests.get(f"{idle_portal}/v1/models", timeout=120),
        core(idle_portal, bearer, prompt=""),
    ):
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in response.headers["content-security-policy"]


def test_a_well_formed_request_id_is_kept_and_another_is_replaced(idle_portal, bearer):
    names = [("my-request-12345", True), ("x" * 200, False), ("a\tb", False), ("<script>", False)]
    for given, kept in names:
        response = core(idle_portal, bearer | {"x-request-id": given}, prompt="")
        assert (response.headers["x-request-id"] == given) is kept
        assert response.json()["id"] == response.headers["x-request-id"]


def test_an_https_portal_refuses_plain_http(idle_portal, bearer, settings):
    settings.SECURE_SSL_REDIRECT = True
    for response in ask_each(idle_portal, bearer):
        assert response.status_code == 403
    assert not Generation.objects.exists()


def test_a_finished_call_leaves_only_the_id_of_its_batch_with_its_key(portal, bearer):
    assert core(portal, bearer | {"idempotency-key": "k"}).status_code == 200
    assert IdempotentCall.objects.get().body == str(Batch.objects.get().pk)
    assert not Hold.objects.filter(state="open").exists()
    assert not [thread for thread in threading.enumerate() if "AnyIO" in thread.name]


@pytest.mark.parametrize(
    "name", ["stability-client-id", "stability-client-user-id", "stability-client-version"]
)
def test_the_client_identification_headers_are_limited_in_length(idle_portal, bearer, name):
    address = f"{idle_portal}/v2beta/stable-image/generate/core"
    form = {"files": {"none": ""}, "timeout": 120}
    long = requests.post(address, headers=bearer | {name: "x" * 257}, data={"prompt": "x"}, **form)
    assert (long.status_code, long.json()["name"]) == (400, "bad_request")
    assert long.json()["errors"] == [f"{name}: must be at most 256 characters long"]
    longest = requests.post(address, headers=bearer | {name: "x" * 256}, data={"prompt": ""}, **form)
    assert longest.json()["errors"][0].startswith("prompt: ")
    assert not Generation.objects.exists()
