"""Results that come later: orders, polls, whose they are, what they cost, how they fail.

Source: docs/providers/stability.md, "Results that come later".
"""

import asyncio
import base64
import re
import time
from typing import cast

import pytest
import requests
from PIL import Image

from generations.sandbox import generate
from generations.sandbox import tasks as tasks_module
from generations.sandbox.faults import Planned
from generations.sandbox.image_request import ImageRequest
from generations.sandbox.options import Options
from generations.sandbox.request_log import LogEntry
from generations.sandbox.responses import ApiError, as_json
from generations.sandbox.state import Request
from generations.sandbox.state import Sandbox as State
from generations.sandbox.tasks import Task, Tasks
from tests import sandboxes
from tests.sandbox.conftest import KEY, OTHER_KEY, Client, opened
from tests.sandbox.stability.pictures import LATER, LEAST

CREATIVE = "upscale/creative"
RELIGHT = "edit/replace-background-and-relight"
GONE = "id: the generation either does not exist or has expired."


def order(client: Client, path: str = RELIGHT, **fields) -> requests.Response:
    """Order with the least that a service takes, and these."""
    files, texts = LEAST[path]
    return client.post(path, files, **{**texts, "seed": 5, **fields})


def ordered(client: Client, path: str = RELIGHT, **fields) -> str:
    """Return the id of an accepted order."""
    answer = order(client, path, **fields)
    assert (answer.status_code, set(answer.json())) == (200, {"id"})
    assert re.fullmatch("[0-9a-f]{64}", answer.json()["id"])
    return answer.json()["id"]


def ended(client: Client, task: str, accept: str = "*/*") -> requests.Response:
    """Return the answer of a task that has ended."""
    deadline = time.monotonic() + 10
    while (answer := client.result(task, accept=accept)).status_code == 202 and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


def credits_of(client: Client) -> float:
    """Return the balance."""
    return client.sandbox.state()["credits"]


@pytest.mark.parametrize("path", LATER)
def test_a_result_comes_as_bytes_or_as_json_again_and_again(artist: Client, path: str) -> None:
    task = ordered(artist, path)
    as_bytes = ended(artist, task)
    assert (as_bytes.status_code, as_bytes.headers["content-type"]) == (200, "image/png")
    assert (as_bytes.headers["seed"], as_bytes.headers["finish-reason"]) == ("5", "SUCCESS")
    as_json = artist.result(task, accept="application/json")
    assert as_json.headers["content-type"] == "application/json; type=image/png"
    body = as_json.json()
    assert (body["seed"], body["finish_reason"]) == (5, "SUCCESS")
    assert body["image"] == body["result"]
    assert base64.b64decode(body["image"]) == as_bytes.content
    assert opened(as_bytes.content).width


def test_a_task_is_in_progress_for_as_long_as_it_takes(artist: Client) -> None:
    artist.sandbox.state(task_latency=1)
    began = time.monotonic()
    task = ordered(artist)
    assert time.monotonic() - began < 0.8  # the order itself waits for nothing
    answer = artist.result(task, accept="application/json")
    assert (answer.status_code, answer.json()) == (202, {"id": task, "status": "in-progress"})
    assert ended(artist, task).status_code == 200
    assert time.monotonic() - began >= 0.95


def test_a_planned_time_is_that_of_the_task(artist: Client) -> None:
    artist.sandbox.plan("slow:1", {"outcome": "ok", "delay": 0})
    slow, quick = ordered(artist), ordered(artist)
    assert ended(artist, quick).status_code == 200
    assert artist.result(slow).status_code == 202


def test_an_order_is_refused_as_any_call(artist: Client) -> None:
    assert order(artist, background_prompt="a forbidden place").json()["name"] == "content_moderation"
    assert order(artist, seed=-1).json()["errors"] == ["seed: must be between 0 and 4294967294"]
    artist.sandbox.state(credits=7.5)
    assert order(artist).json()["name"] == "payment_required"
    assert artist.sandbox.calls()[-1]["task"] == ""


def test_gateways_serve_results_below_a_prefix_and_creative_has_an_older_address(artist: Client) -> None:
    task = ordered(artist, CREATIVE)
    assert ended(artist, task).status_code == 200
    for path in ("/sd/v2beta/results/", "/v2beta/stable-image/upscale/creative/result/"):
        assert artist.get(path + task).status_code == 200
    assert artist.post(f"/v2beta/results/{task}").json()["name"] == "not_found"


@pytest.mark.parametrize("task", ["0" * 64, "no-such-id"])
def test_an_unknown_id_is_not_found(artist: Client, task: str) -> None:
    answer = artist.result(task)
    assert (answer.status_code, answer.json()["name"]) == (404, "generation_not_found")
    assert answer.json()["errors"] == [GONE]


def test_a_result_belongs_to_the_key_that_ordered_it(artist: Client) -> None:
    task = ordered(artist)
    other = Client(artist.sandbox)
    other.headers = {"authorization": f"Bearer {OTHER_KEY}"}
    assert other.get("/v1/user/balance").status_code == 200
    assert other.result(task).json()["name"] == "generation_not_found"
    assert artist.sandbox.calls()[-1]["task"] == ""
    assert ended(artist, task).status_code == 200
    other.headers = {"authorization": f"Bearer {KEY},{OTHER_KEY}"}
    assert other.result(task).status_code == 401


def test_a_result_expires(artist: Client) -> None:
    task = ordered(artist)
    assert ended(artist, task).status_code == 200
    artist.sandbox.state(task_lifetime=0)
    assert artist.result(task).json()["errors"] == [GONE]
    assert artist.sandbox.state()["task_lifetime"] == 0


def test_expired_results_are_forgotten(artist: Client) -> None:
    ordered(artist)
    artist.sandbox.state(task_lifetime=0)
    ordered(artist)
    assert artist.sandbox.state()["tasks"] == 1


def test_a_poll_too_soon_after_the_last_is_logged_and_answered(artist: Client) -> None:
    artist.sandbox.state(poll_interval=0.5)
    first, second = ordered(artist), ordered(artist)
    for task in (first, second, first):
        assert artist.result(task).status_code in (200, 202)
    time.sleep(0.6)
    artist.result(first)
    polls = [call for call in artist.sandbox.calls() if call["method"] == "GET"]
    assert [call["early"] for call in polls] == [False, False, True, False]
    assert [call["task"] for call in polls] == [first, second, first, first]


def test_the_interval_is_that_of_the_real_service() -> None:
    with sandboxes.running() as sandbox:
        state = sandbox.state()
    assert (state["poll_interval"], state["task_latency"], state["task_lifetime"]) == (10, 8, 86_400)


def test_a_task_is_charged_once_when_it_is_ordered(artist: Client) -> None:
    before = credits_of(artist)
    task = ordered(artist)
    assert credits_of(artist) == before - 8
    ended(artist, task)
    artist.result(task)
    assert credits_of(artist) == before - 8
    calls = artist.sandbox.calls()
    assert [call["cost"] for call in calls if call["method"] == "POST"] == [8]
    assert sum(call["cost"] for call in calls) == 8
    assert (calls[-1]["model"], calls[-1]["seed"]) == (RELIGHT, 5)


@pytest.mark.parametrize(
    ("outcome", "status", "name"),
    [
        ("task-failed", 500, "internal_error"),
        ("task-failed:400", 400, "bad_request"),
        ("task-failed:200", 200, "internal_error"),
        ("task-moderated", 403, "content_moderation"),
    ],
)
def test_a_task_that_fails_is_not_charged(artist: Client, outcome: str, status: int, name: str) -> None:
    artist.sandbox.plan(outcome)
    artist.sandbox.state(task_latency=0.3)
    before = credits_of(artist)
    task = ordered(artist)
    assert artist.result(task).status_code == 202
    for _ in range(2):
        answer = ended(artist, task, accept="application/json")
        assert (answer.status_code, answer.json()["name"]) == (status, name)
        assert answer.json()["errors"]
    assert credits_of(artist) == before
    assert sum(call["cost"] for call in artist.sandbox.calls()) == 0


def test_a_task_can_take_for_ever(artist: Client) -> None:
    artist.sandbox.plan("task-endless")
    before = credits_of(artist)
    task = ordered(artist)
    time.sleep(0.3)
    assert artist.result(task).status_code == 202
    assert credits_of(artist) == before


def test_a_filtered_result_is_charged_and_blurred(artist: Client) -> None:
    sharp = ended(artist, ordered(artist)).content
    artist.sandbox.plan("filtered")
    before = credits_of(artist)
    answer = ended(artist, ordered(artist))
    assert answer.headers["finish-reason"] == "CONTENT_FILTERED"
    assert answer.content != sharp
    assert credits_of(artist) == before - 8


@pytest.mark.parametrize(
    ("outcome", "status"), [("400", 400), ("429:7", 429), ("500", 500), ("502-html", 502), ("404-model", 404)]
)
def test_an_order_can_be_planned_to_fail(artist: Client, outcome: str, status: int) -> None:
    artist.sandbox.plan(outcome)
    before = credits_of(artist)
    assert order(artist).status_code == status
    assert credits_of(artist) == before
    assert order(artist).status_code == 200


@pytest.mark.parametrize("outcome", ["drop", "truncate", "garbage", "504-html"])
def test_an_order_whose_answer_is_lost_is_charged_and_works_on(artist: Client, outcome: str) -> None:
    artist.sandbox.plan(outcome)
    before = credits_of(artist)
    try:
        answer = order(artist)
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        assert outcome in ("drop", "truncate")
    else:
        assert outcome in ("garbage", "504-html")
        assert not answer.content.startswith(b'{"id"')
    assert credits_of(artist) == before - 8
    entry = artist.sandbox.calls()[-1]
    assert entry["outcome"] == outcome
    assert ended(artist, entry["task"]).status_code == 200


@pytest.mark.parametrize(
    ("outcome", "status", "name"),
    [
        ("poll-400", 400, "bad_request"),
        ("poll-401", 401, "unauthorized"),
        ("poll-404", 404, "generation_not_found"),
        ("poll-429:7", 429, "rate_limit_exceeded"),
        ("poll-500", 500, "internal_error"),
        ("poll-502-html", 502, ""),
        ("poll-garbage", 200, ""),
        ("poll-524-html", 524, ""),
    ],
)
def test_one_poll_can_be_planned_to_fail(artist: Client, outcome: str, status: int, name: str) -> None:
    artist.sandbox.plan(outcome)
    task = ordered(artist)  # takes none of what is planned for polls
    answer = artist.result(task, accept="application/json")
    assert answer.status_code == status
    if name:
        assert answer.json()["name"] == name
    else:
        with pytest.raises(requests.exceptions.JSONDecodeError):
            answer.json()
    assert answer.headers.get("retry-after") == ("7" if status == 429 else None)
    assert artist.sandbox.calls()[-1]["outcome"] == outcome
    assert ended(artist, task).status_code == 200


@pytest.mark.parametrize("outcome", ["poll-drop", "poll-truncate"])
def test_an_answer_to_a_poll_can_be_lost(artist: Client, outcome: str) -> None:
    task = ordered(artist)
    assert ended(artist, task).status_code == 200
    artist.sandbox.plan(outcome)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        artist.result(task)
    assert artist.result(task).status_code == 200


def test_what_is_planned_waits_for_a_call_of_its_kind(artist: Client) -> None:
    artist.sandbox.plan("task-failed", {"outcome": "poll-500", "match": "dusk"}, "422-public-figure")
    assert artist.generate("core").status_code == 422
    assert artist.generate("core").status_code == 200
    dawn = ordered(artist, background_prompt="sea at dawn")  # takes the failure
    assert ended(artist, dawn).json()["errors"] == ["The generation failed."]
    dusk = ordered(artist)
    assert artist.result(dusk).json()["name"] == "internal_error"
    assert ended(artist, dusk).status_code == 200
    assert artist.sandbox.state()["planned"] == 0


def test_polls_count_for_the_rate_limit(artist: Client) -> None:
    task = ordered(artist)
    ended(artist, task)
    artist.sandbox.state(reset=True, limit=2, penalty=0.2)
    assert [artist.result(task).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(
    "wrong", ["poll-ok", "poll-task-failed", "task-failed:404", "task-endless:3", "poll-"]
)
def test_a_plan_without_sense_is_refused(artist: Client, wrong: str) -> None:
    answer = requests.post(f"{artist.sandbox.url}/control/plan", json=[wrong], timeout=5)
    assert answer.status_code == 400


def test_results_take_a_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks_module, "MAX_TASKS", 4)
    monkeypatch.setattr(tasks_module, "MAX_KEPT", 250)
    kept = Tasks(Options())
    added = [Task("key", cast(ImageRequest, None), Planned(), at) for at in range(6)]
    for task in added[:4]:
        kept.add(task)
        task.image = bytes(100)
    assert [kept.find(task.id, "key", 4) for task in added[1:4]] == added[1:4]
    with pytest.raises(ApiError):  # three results were too many
        kept.find(added[0].id, "key", 4)
    kept.add(added[4])
    kept.add(added[5])
    assert len(kept) <= 4


def test_an_empty_key_opens_nothing() -> None:
    with sandboxes.running("--key", f"{KEY},") as sandbox:
        url = f"{sandbox.url}/v1/user/balance"
        assert requests.get(url, headers={"authorization": f"Bearer {KEY}"}, timeout=5).status_code == 200
        assert requests.get(url, timeout=5).status_code == 401


def test_a_task_that_cannot_be_drawn_is_refunded() -> None:
    def broken(_request: ImageRequest) -> Image.Image:
        raise OSError("the disk is full")

    async def balance_and_status() -> tuple[float, int]:
        sandbox = State(Options(task_latency=0, credits=10))
        request = Request("POST", "/", "", {}, b"", 0, sandbox.now(), key="one")
        entry = LogEntry("POST", "/", "", "", "")
        await generate.order(
            sandbox,
            request,
            entry,
            prompt="",
            validate=lambda: ImageRequest("core", "boat", 1, 800, broken),
            respond=lambda task: as_json(task.id),
        )
        charged = sandbox.account.credits
        task = sandbox.tasks.find(entry.task, "one", sandbox.now())
        await cast(asyncio.Task[None], task.work)
        never = {"pending": as_json, "failed": as_json, "respond": as_json}
        with pytest.raises(ApiError) as refusal:
            await generate.poll(sandbox, request, entry, task_id=task.id, **never)
        assert charged == 2
        return sandbox.account.credits, refusal.value.status

    assert asyncio.run(balance_and_status()) == (10, 500)
