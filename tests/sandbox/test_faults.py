"""Planned outcomes, the rate limit, and the log."""

import hashlib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests import sandboxes
from tests.sandbox.conftest import Client, opened
from tests.sandboxes import KEY, ROOT, Sandbox


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("400", 400),
        ("401", 401),
        ("402", 402),
        ("403", 403),
        ("404", 404),
        ("404-model", 404),
        ("403-model", 403),
        ("413", 413),
        ("422", 422),
        ("429", 429),
        ("500", 500),
        ("502-html", 502),
    ],
)
def test_a_planned_error_applies_to_one_call_and_is_not_charged(
    client: Client, outcome: str, status: int
) -> None:
    client.sandbox.plan(outcome)
    before = client.sandbox.state()["credits"]
    assert client.generate().status_code == status
    assert client.sandbox.state()["credits"] == before
    assert client.generate().status_code == 200


def test_retry_after_is_sent_when_planned(client: Client) -> None:
    client.sandbox.plan("429", "429:7")
    assert "retry-after" not in client.generate().headers
    answer = client.generate()
    assert answer.headers["retry-after"] == "7"
    assert answer.json()["id"] == answer.json()["name"] == "rate_limit_exceeded"


def test_a_gateway_page_is_html(client: Client) -> None:
    client.sandbox.plan("502-html")
    assert client.generate().headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("status", [504, 524])
def test_a_gateway_that_waited_too_long_has_a_page_for_a_call_that_is_charged(
    client: Client, status: int
) -> None:
    client.sandbox.plan(f"{status}-html")
    before = client.sandbox.state()["credits"]
    answer = client.generate()
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert client.sandbox.state()["credits"] == before - 3


def test_a_dropped_call_is_charged_and_gets_no_response(client: Client) -> None:
    client.sandbox.plan("drop")
    before = client.sandbox.state()["credits"]
    with pytest.raises(requests.ConnectionError):
        client.generate()
    assert client.sandbox.calls()[-1]["status"] == 0
    assert client.sandbox.state()["credits"] == before - 3


def test_a_truncated_image_is_shorter_than_its_content_length(client: Client) -> None:
    client.sandbox.plan("truncate")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        client.generate()


def test_invalid_images_have_the_type_of_an_image(client: Client) -> None:
    client.sandbox.plan("not-an-image")
    answer = client.generate()
    assert answer.headers["content-type"] == "image/png"
    with pytest.raises(OSError, match="cannot identify"):
        opened(answer.content)


@pytest.mark.parametrize("accept", ["image/*", "application/json"])
def test_a_filtered_image_has_its_finish_reason(client: Client, accept: str) -> None:
    client.sandbox.plan("filtered")
    answer = client.generate(accept=accept)
    assert answer.status_code == 200
    said = answer.json()["finish_reason"] if "json" in accept else answer.headers["finish-reason"]
    assert said == "CONTENT_FILTERED"


def test_a_hanging_call_gets_no_response(client: Client) -> None:
    client.sandbox.plan("hang")
    url = f"{client.sandbox.url}/v2beta/stable-image/generate/core"
    with pytest.raises(requests.Timeout):
        requests.post(url, headers=client.headers, files={"prompt": (None, "boat")}, timeout=0.4)


def test_a_plan_can_match_a_prompt_and_repeat(client: Client) -> None:
    client.sandbox.plan({"outcome": "500", "match": "boat", "times": 2}, "403")
    statuses = [client.generate(prompt=text).status_code for text in ("a boat", "a tree", "a boat", "a boat")]
    assert statuses == [500, 403, 500, 200]


def test_the_delay_of_slow_counts_from_the_arrival(client: Client) -> None:
    client.sandbox.plan("slow:1")
    began = time.monotonic()
    assert client.generate().status_code == 200
    assert 0.99 <= time.monotonic() - began < 4


def test_an_invalid_plan_is_rejected_whole(client: Client) -> None:
    url = f"{client.sandbox.url}/control/plan"
    answer = requests.post(url, json=["ok", "explode"], timeout=5)
    assert answer.status_code == 400
    assert requests.get(url, timeout=5).json() == []
    assert requests.post(url, data='["500"]', timeout=5).status_code == 400


def test_exceeding_the_limit_blocks_for_the_penalty(client: Client) -> None:
    client.sandbox.state(limit=5, window=1.5, penalty=2)
    statuses = [client.generate().status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    assert client.sandbox.state()["blocked_for"] > 0
    time.sleep(2.1)
    assert client.generate().status_code == 200
    state = client.sandbox.state()
    assert (state["fullest_window"], state["rate_limited"]) == (5, 2)


def test_calls_without_the_key_do_not_count(client: Client) -> None:
    client.sandbox.state(limit=1)
    url = f"{client.sandbox.url}/v1/user/balance"
    assert {requests.get(url, timeout=5).status_code for _ in range(3)} == {401}
    assert client.get("/v1/user/balance").status_code == 200


def test_many_slow_calls_are_served_concurrently(client: Client) -> None:
    client.generate()
    client.sandbox.state(latency=1)
    began = time.monotonic()
    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(lambda _: client.generate(), range(60)))
    assert {answer.status_code for answer in answers} == {200}
    assert time.monotonic() - began < 20  # one after the other would take a minute


def test_the_log_has_the_request_and_not_the_key(client: Client) -> None:
    answer = client.generate("sd3", seed=9, model="sd3.5-flash", prompt="x" * 9_000)
    entry = client.sandbox.calls()[-1]
    assert entry["sha256"] == hashlib.sha256(answer.content).hexdigest()
    assert (entry["model"], entry["seed"], entry["cost"], entry["status"]) == ("sd3.5-flash", 9, 2.5, 200)
    assert entry["fields"]["prompt"].endswith("(9000 characters)")
    assert KEY not in str(client.sandbox.calls())
    assert KEY not in str(client.sandbox.state())


def test_without_control_there_is_no_control_api() -> None:
    with sandboxes.running("--no-control", "--latency", "0", "--plain") as sandbox:
        closed = Client(sandbox)
        assert closed.get("/control/state").status_code == 404
        assert closed.generate().status_code == 200


def test_a_port_in_use_is_reported_in_one_sentence(plain_sandbox: Sandbox) -> None:
    port = plain_sandbox.url.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "generations.sandbox", "--port", port]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("The sandbox cannot listen on 127.0.0.1:")
    assert "Traceback" not in ended.stderr
