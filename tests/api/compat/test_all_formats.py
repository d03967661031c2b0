"""What holds for all formats: keys that make a call happen once, limits, and bodies that are too much."""

from __future__ import annotations

import http.client
import threading
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest
import requests

from generations.api.compat import http as compat_http
from generations.api.models import IdempotentCall
from generations.credits.models import Hold
from generations.jobs.models import Batch, Generation, ModelRule
from generations.library.models import Upload
from generations.teams.models import Membership
from tests.api.conftest import CORE, IMAGES, V1
from tests.conftest import work

LIMITS = {"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "x-ratelimit-limit"}


def core(address, headers, files=None, **data):
    data = {"prompt": "a harbour"} | data
    return requests.post(address + CORE, headers=headers, files=files or {"none": ""}, data=data, timeout=120)


def ask_each(address, headers, **more):
    """One call in each format."""
    yield core(address, headers, **more)
    yield requests.post(
        address + V1, headers=headers, json={"text_prompts": [{"text": "a harbour"}]} | more, timeout=120
    )
    yield requests.post(address + IMAGES, headers=headers, json={"prompt": "a harbour"} | more, timeout=120)


def test_fifty_clients_with_one_key_get_one_picture_that_is_paid_once(portal, bearer, member):
    with ThreadPoolExecutor(50) as threads:
        asked = [threads.submit(core, portal, bearer | {"idempotency-key": "k1"}) for _ in range(50)]
        answers = [answer.result() for answer in asked]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["seed"] for answer in answers}) == 1
    assert Generation.objects.count() == 1
    assert Membership.objects.get(pk=member.pk).wallet.available == 100_00 - 3_00
    assert core(portal, bearer | {"idempotency-key": "k1"}).content == answers[0].content


def test_a_key_for_another_call_is_a_conflict_in_every_format(portal, bearer):
    for number, answers in enumerate(zip(ask_each(portal, bearer | {"idempotency-key": "k1"}), strict=False)):
        assert answers[0].status_code == (200 if number == 0 else 409), answers[0].text
    other = core(portal, bearer | {"idempotency-key": "k1"}, prompt="a mountain")
    assert (other.status_code, other.json()["name"]) == (409, "idempotency_key_reused")
    assert core(portal, bearer | {"idempotency-key": "é".encode("latin-1")}).status_code == 400
    assert Batch.objects.count() == 1


def test_every_format_honours_a_key(portal, bearer):
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


def test_a_start_image_is_part_of_what_a_key_stands_for(portal, bearer, picture):
    address, headers = f"{portal}/v2beta/stable-image/generate/ultra", bearer | {"idempotency-key": "k"}

    def ask(file):
        data = {"prompt": "a harbour", "strength": "0.5"}
        return requests.post(
            address, headers=headers, data=data, files={"image": ("a.png", file)}, timeout=120
        )

    assert ask(picture()).status_code == ask(picture()).status_code == 200
    assert ask(picture(size=(64, 64))).status_code == 409
    assert Generation.objects.count() == 1


def test_a_call_that_was_refused_leaves_its_key_free(portal, bearer, member):
    headers = bearer | {"idempotency-key": "k1"}
    assert core(portal, headers, prompt="").status_code == 400
    rule = ModelRule.objects.create(team=member.team, model="core", roles=["owner"])
    assert core(portal, headers).status_code == 403
    rule.delete()
    assert core(portal, headers, prompt="better").status_code == 200


def test_keys_are_of_a_member(portal, bearer, issue, make_member):
    theirs = {"authorization": f"Bearer {issue(by=make_member('jonas'))}"}
    for headers in (bearer, theirs):
        assert core(portal, headers | {"idempotency-key": "k1"}).status_code == 200
    assert Generation.objects.count() == 2


def test_who_left_before_the_answer_asks_again_with_the_key_and_gets_it(idle_portal, bearer):
    headers = bearer | {"idempotency-key": "k1"}
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            idle_portal + CORE, headers=headers, files={"none": ""}, data={"prompt": "a harbour"}, timeout=1
        )
    assert work() == 1
    assert core(idle_portal, headers).status_code == 200
    assert Generation.objects.count() == 1


def test_every_answer_says_what_is_left_of_the_limit_and_too_many_are_429(
    idle_portal, bearer, secret, settings
):
    settings.API_REQUESTS_PER_TOKEN = 5
    for answer in ask_each(idle_portal, bearer, prompt="", text_prompts=[]):
        assert answer.status_code == 400
        assert {name.lower() for name in answer.headers} >= LIMITS
    answers = [requests.get(f"{idle_portal}/v1/user/balance", headers=bearer, timeout=120) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
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
def test_a_body_that_says_that_it_is_over_ten_mebibytes_is_refused_unread(idle_portal, bearer, path):
    answer = requests.post(
        idle_portal + path, headers=bearer, data=b"x" * (10 * 1024 * 1024 + 1), timeout=120
    )
    assert answer.status_code == 413
    said = answer.json()
    assert "payload_too_large" in (said.get("name"), said.get("error", {}).get("code"))


def test_a_body_without_a_length_is_refused_as_soon_as_it_is_too_long(idle_portal, bearer):
    sent = 0

    def endless():
        nonlocal sent
        while sent < 200:
            sent += 1
            yield b"x" * (256 * 1024)

    answer = requests.post(idle_portal + CORE, headers=bearer, data=endless(), timeout=120)
    assert answer.status_code == 413
    connection = http.client.HTTPConnection(idle_portal.removeprefix("http://"), timeout=120)
    connection.putrequest("POST", CORE)
    for name, value in (*bearer.items(), ("content-length", str(100 * 1024 * 1024))):
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 413  # though nothing was sent


def test_who_has_no_token_sends_no_body(idle_portal):
    connection = http.client.HTTPConnection(idle_portal.removeprefix("http://"), timeout=120)
    connection.putrequest("POST", CORE)
    connection.putheader("content-length", "1000000")
    connection.endheaders()
    assert connection.getresponse().status == 401


def test_a_body_that_never_ends_is_given_up(idle_portal, bearer, monkeypatch):
    monkeypatch.setattr(compat_http, "BODY_TIMEOUT", 0.5)
    connection = http.client.HTTPConnection(idle_portal.removeprefix("http://"), timeout=120)
    connection.putrequest("POST", CORE)
    for name, value in (*bearer.items(), ("content-length", "1000")):
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(b"x")
    assert connection.getresponse().status == 408


def test_a_file_of_almost_ten_mebibytes_is_taken(portal, bearer, picture):
    noise = picture("bmp", (1800, 1800))  # no format of ours, and as large as a body may be
    assert 9_700_000 < len(noise) < 10_000_000
    address = f"{portal}/v2beta/stable-image/generate/ultra"
    data = {"prompt": "a harbour", "strength": "0.5"}
    answer = requests.post(address, headers=bearer, data=data, files={"image": ("a.bmp", noise)}, timeout=120)
    assert answer.status_code == 400
    assert answer.json()["errors"][0].startswith("image: ")
    assert not Upload.objects.exists()


def test_headers_on_every_answer_keep_it_out_of_caches_and_pages(idle_portal, bearer):
    for answer in (
        requests.get(f"{idle_portal}/v1/user/balance", headers=bearer, timeout=120),
        requests.get(f"{idle_portal}/v1/models", timeout=120),
        core(idle_portal, bearer, prompt=""),
    ):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_sane_name_for_the_request_is_kept_and_another_is_replaced(idle_portal, bearer):
    names = [("my-request-12345", True), ("x" * 200, False), ("a\tb", False), ("<script>", False)]
    for given, kept in names:
        answer = core(idle_portal, bearer | {"x-request-id": given}, prompt="")
        assert (answer.headers["x-request-id"] == given) is kept
        assert answer.json()["id"] == answer.headers["x-request-id"]


def test_a_portal_of_https_takes_no_token_that_was_sent_without(idle_portal, bearer, settings):
    settings.SECURE_SSL_REDIRECT = True
    for answer in ask_each(idle_portal, bearer):
        assert answer.status_code == 403
    assert not Generation.objects.exists()


def test_no_key_holds_anything_once_its_call_is_over(portal, bearer):
    assert core(portal, bearer | {"idempotency-key": "k"}).status_code == 200
    assert IdempotentCall.objects.get().body == str(Batch.objects.get().pk)
    assert not Hold.objects.filter(state="open").exists()
    assert not [thread for thread in threading.enumerate() if "AnyIO" in thread.name]


@pytest.mark.parametrize(
    "name", ["stability-client-id", "stability-client-user-id", "stability-client-version"]
)
def test_what_a_client_says_of_itself_has_a_longest_length(idle_portal, bearer, name):
    address = f"{idle_portal}/v2beta/stable-image/generate/core"
    form = {"files": {"none": ""}, "timeout": 120}
    long = requests.post(address, headers=bearer | {name: "x" * 257}, data={"prompt": "x"}, **form)
    assert (long.status_code, long.json()["name"]) == (400, "bad_request")
    assert long.json()["errors"] == [f"{name}: must be at most 256 characters long"]
    longest = requests.post(address, headers=bearer | {name: "x" * 256}, data={"prompt": ""}, **form)
    assert longest.json()["errors"][0].startswith("prompt: ")
    assert not Generation.objects.exists()
