"""Programs that others wrote use a whole running portal by its address and a token alone."""

from __future__ import annotations

import base64
import io
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest
import requests
from PIL import Image

from tests.journeys.studio import Studio, Visitor
from tests.sdweb.portal import eventually

CORE = "/sd/v2beta/stable-image/generate/core"


@pytest.fixture(scope="module")
def token(studio: Studio) -> str:
    return studio.manage("issue_token", studio.email).split()[-1]


def ask(studio: Studio, token: str, **headers: str) -> requests.Response:
    return requests.post(
        studio.portal.address + CORE,
        headers={"authorization": f"Bearer {token}", "accept": "image/*"} | headers,
        files={"none": ""},
        data={"prompt": "a lighthouse", "output_format": "webp"},
        timeout=90,
    )


def test_a_tool_for_stability_and_one_for_openai_draw_by_the_same_token(
    studio: Studio, token: str, visitor: Visitor
):
    answer = ask(studio, token)
    assert answer.status_code == 200, answer.text
    assert Image.open(io.BytesIO(answer.content)).format == "WEBP"
    client = openai.OpenAI(base_url=f"{studio.portal.address}/v1", api_key=token)
    drawn = client.images.generate(model="dall-e-3", prompt="a lighthouse", response_format="b64_json").data[
        0
    ]
    Image.open(io.BytesIO(base64.b64decode(drawn.b64_json))).load()
    linked = client.images.generate(model="sdxl", prompt="a lighthouse").data[0]
    assert requests.get(linked.url, timeout=10).headers["content-type"].startswith("image/")
    assert len([status for status in visitor.tiles().values() if status == "succeeded"]) == 3
    studio.manage("audit_ledger")


def test_many_calls_wait_at_once_and_the_provider_s_limit_is_kept(studio: Studio, token: str):
    studio.provider.state(latency=2)
    with ThreadPoolExecutor(60) as threads:
        answers = [threads.submit(ask, studio, token) for _ in range(60)]
        assert {answer.result().status_code for answer in answers} == {200}
    assert studio.provider.state(latency=0.2)["rate_limited"] == 0


@pytest.mark.parametrize("keys", [[{}] * 5, [{"idempotency-key": f"restart {n}"} for n in range(5)]])
def test_calls_that_wait_while_the_web_process_restarts_are_told_so_and_get_their_pictures_when_repeated(
    studio: Studio, token: str, keys: list[dict[str, str]]
):
    studio.provider.state(latency=8)
    before = studio.provider.orders()
    with ThreadPoolExecutor(5) as threads:
        answers = [threads.submit(ask, studio, token, **key) for key in keys]
        assert eventually(lambda: studio.provider.orders() == before + 5)
        stopped = studio.portal.processes()["sdweb web"]
        os.kill(stopped, signal.SIGTERM)
        for answer in answers:
            found = answer.result()
            assert (found.status_code, found.json()["name"]) == (424, "service_unavailable")
    # The one that stops takes connections for a moment still, and says that nothing was ordered.
    assert eventually(lambda: studio.portal.processes().get("sdweb web", stopped) != stopped, within=60)
    assert eventually(studio.portal.answers, within=60)
    studio.provider.state(latency=0.2)
    for key in keys:
        answer = ask(studio, token, **key)
        assert answer.status_code == 200, answer.text
    assert studio.provider.orders() == before + 5
    studio.manage("audit_ledger")


def test_calls_whose_web_process_is_killed_get_their_pictures_when_repeated_and_nothing_is_bought_twice(
    studio: Studio, token: str
):
    studio.provider.state(latency=8)
    before = studio.provider.orders()
    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(ask, studio, token) for _ in range(4)]
        assert eventually(lambda: studio.provider.orders() == before + 4)
        killed = studio.portal.processes()["sdweb web"]
        os.kill(killed, signal.SIGKILL)
        for answer in answers:
            assert isinstance(answer.exception(), requests.ConnectionError)
        assert eventually(studio.portal.answers, within=60)
        repeated = [answer.result() for answer in [threads.submit(ask, studio, token) for _ in range(4)]]
    assert [answer.status_code for answer in repeated] == [200] * 4
    assert len({answer.headers["x-generation-id"] for answer in repeated}) == 4
    assert studio.provider.orders() == before + 4
    studio.provider.state(latency=0.2)
    assert ask(studio, token).status_code == 200
    assert studio.provider.orders() == before + 5, "what was delivered is bought anew when it is asked for"
    studio.manage("audit_ledger")
