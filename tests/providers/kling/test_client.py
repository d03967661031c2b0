"""Orders at Kling, asking for them, and the token of a key pair."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import replace

import pytest

from generations.providers import open_provider
from generations.providers.base import Accepted, ImageRequest, InputImage, Refused, Task, Unknown
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.kling.client import Kling
from tests.providers.fake_provider import KEY, assert_readable, error, response
from tests.providers.kling.smallest import FROM_IMAGE, GENERATIONS, OMNI
from tests.providers.smallest_requests import picture, smallest

ACCESS, SECRET = "ak-0123456789abcdef", "sk_0123456789abcdefghijkl"
ID = "832870312097124389"
URL = "https://cdn.klingai.com/bs2/upload-kling-api/1.png"
PLAIN = base64.b64encode(picture("png", (400, 320))).decode()
PATHS = dict.fromkeys(GENERATIONS, "generations") | dict.fromkeys(OMNI, "omni-image")


def answer(data: object, status: int = 200, **more: object) -> bytes:
    document = {"code": 0, "message": "SUCCEED", "request_id": "r-1", "data": data} | more
    return response(status, json.dumps(document).encode(), content_type="application/json")


def state(status: str, **more: object) -> bytes:
    data = {"task_id": ID, "task_status": status, "created_at": 1_722_769_557_708, "updated_at": 1} | more
    return answer(data)


SUBMITTED = state("submitted")
SUCCEEDED = state("succeed", task_result={"images": [{"index": 0, "url": URL}]}, final_unit_deduction="8")


@pytest.fixture
def kling(fake_provider):
    fake_provider.plan = [SUBMITTED]
    return open_provider("kling", fake_provider.address, KEY)


@pytest.fixture
def task(kling):
    return kling.submit(smallest("kling-v3"), timeout=5).task


@pytest.mark.parametrize("model", [*GENERATIONS, *OMNI])
def test_an_order_is_json_with_the_model_and_answers_with_a_task(fake_provider, kling, model):
    accepted = kling.submit(smallest(model, aspect_ratio="1:1"), timeout=5)
    [request] = fake_provider.requests
    assert (request.method, request.path) == ("POST", f"/v1/images/{PATHS[model]}")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.json == {"prompt": "a harbour", "model_name": model, "aspect_ratio": "1:1"}
    assert accepted == Accepted(accepted.task, 12.0, request_id="r-1", status=200)
    assert accepted.task == Task(ID, state={"path": f"/v1/images/{PATHS[model]}"})


@pytest.mark.parametrize("model", FROM_IMAGE)
def test_an_image_is_base64_with_nothing_before_it(fake_provider, kling, model):
    kling.submit(smallest(model, from_image=True, image_fidelity=0.75, negative_prompt="fog"), timeout=5)
    body = fake_provider.requests[0].json
    assert body["image"] == PLAIN
    assert body["image_fidelity"] == 0.75
    assert "negative_prompt" not in body, "Kling takes none with an image"


def test_v1_5_says_what_it_takes_from_the_image(fake_provider, kling):
    image = InputImage("image", picture("png", (400, 320)), "image/png")
    fields = {"prompt": "a harbour", "image_reference": "subject", "human_fidelity": 0.5}
    kling.submit(ImageRequest("kling-v1-5", fields, (image,)), timeout=5)
    assert fake_provider.requests[0].json == {**fields, "model_name": "kling-v1-5", "image": PLAIN}
    with pytest.raises(Refused, match="subject of an image only"):
        kling.submit(ImageRequest("kling-v1-5", fields | {"image_reference": "face"}, (image,)), timeout=5)


@pytest.mark.parametrize("model", OMNI)
def test_images_that_the_text_speaks_of_are_a_list_in_order(fake_provider, kling, model):
    images = tuple(
        InputImage("reference", picture("png", size), "image/png") for size in ((400, 320), (320, 400))
    )
    request = ImageRequest(model, {"prompt": "<<<image_1>>> in <<<image_2>>>", "resolution": "2k"}, images)
    kling.submit(request, timeout=5)
    body = fake_provider.requests[0].json
    assert [base64.b64decode(each["image"]) for each in body["image_list"]] == [each.data for each in images]
    assert (body["model_name"], body["resolution"]) == (model, "2k")


def test_an_expansion_is_a_part_of_the_images_own_length(fake_provider, kling):
    kling.submit(smallest("kling-expand", left=200, down=80, prompt="the sea"), timeout=5)
    [request] = fake_provider.requests
    assert request.path == "/v1/images/editing/expand"
    assert request.json == {
        "prompt": "the sea",
        "image": PLAIN,
        "left_expansion_ratio": 0.5,
        "right_expansion_ratio": 0.0,
        "up_expansion_ratio": 0.0,
        "down_expansion_ratio": 0.25,
    }
    with pytest.raises(Refused, match="twice the length"):
        kling.submit(smallest("kling-expand", up=641), timeout=5)
    with pytest.raises(Refused, match="three times the area"):
        kling.submit(smallest("kling-expand", up=320, left=201), timeout=5)
    assert len(fake_provider.requests) == 1
    fake_provider.plan = [SUBMITTED]
    kling.submit(smallest("kling-expand", up=320, left=200), timeout=5)
    assert len(fake_provider.requests) == 2


def test_a_series_says_how_many_pictures_it_has(fake_provider, kling):
    kling.submit(smallest("kling-v3-omni-series", series_amount="9", resolution="2k"), timeout=5)
    [request] = fake_provider.requests
    assert request.path == "/v1/images/omni-image"
    assert request.json == {
        "prompt": "a harbour",
        "model_name": "kling-v3-omni",
        "result_type": "series",
        "series_amount": 9,
        "resolution": "2k",
    }


# Tasks --------------------------------------------------------------------------------------


def test_a_task_is_asked_for_until_it_succeeds(fake_provider, kling, task):
    fake_provider.plan = [state("processing"), state("what_comes_next"), SUCCEEDED]
    assert kling.poll(task, timeout=5) == Accepted(task, 5.0, request_id="r-1", status=200)
    assert isinstance(kling.poll(task, timeout=5), Accepted), "a state that is not known is under way"
    done = kling.poll(task, timeout=5)
    assert ([output.url for output in done.outputs], done.cost, done.request_id) == ([URL], 280, "r-1")
    asked = [(request.method, request.path) for request in fake_provider.requests[1:]]
    assert asked == [("GET", f"/v1/images/generations/{ID}")] * 3


@pytest.mark.parametrize("model", ["kling-image-o1", "kling-expand"])
def test_a_task_is_asked_for_where_it_was_ordered(fake_provider, kling, model):
    kept = kling.submit(smallest(model), timeout=5).task
    fake_provider.plan = [SUCCEEDED]
    kling.poll(kept, timeout=5)
    assert fake_provider.requests[1].path == f"{fake_provider.requests[0].path}/{ID}"


@pytest.mark.parametrize(("said", "cost"), [("8", 280), (4, 140), (0.5, 18), (None, None), ("many", None)])
def test_the_units_that_a_task_took_are_its_cost(fake_provider, kling, task, said, cost):
    images = {"images": [{"index": 0, "url": URL}]}
    fake_provider.plan = [state("succeed", task_result=images, final_unit_deduction=said)]
    assert kling.poll(task, timeout=5).cost == cost


def test_a_series_is_several_results(fake_provider, kling, task):
    series = {"series_images": [{"index": 0, "url": URL}, {"index": 1, "url": URL + "?2"}]}
    fake_provider.plan = [state("succeed", task_result=series)]
    assert len(kling.poll(task, timeout=5).outputs) == 2


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        ("Failure to pass the risk control system", "content_moderation", "refused the prompt or an image"),
        ("Content policy violation", "content_moderation", "refused the prompt or an image"),
        ("触发平台内容安全风控", "content_moderation", "refused the prompt or an image"),
        ("the queue was lost", "task_failed", "could not finish the image. the queue was lost"),
        ("", "task_failed", "could not finish the image."),
    ],
)
def test_a_task_that_failed_is_over_and_says_whether_it_was_moderated(
    fake_provider, kling, task, message, code, reason
):
    fake_provider.plan = [state("failed", task_status_msg=message)]
    with pytest.raises(Refused) as caught:
        kling.poll(task, timeout=5)
    assert caught.value.code == code
    assert reason in caught.value.reason
    assert_readable(caught.value)


@pytest.mark.parametrize("sent", [state("succeed"), state("succeed", task_result={"images": []}), answer({})])
def test_a_result_without_an_address_is_asked_for_again(fake_provider, kling, task, sent):
    fake_provider.plan = [sent]
    with pytest.raises(Unknown):
        kling.poll(task, timeout=5)


@pytest.mark.parametrize("remote_id", ["", "../x", "a/b", 7, None, "x" * 129])
def test_an_id_that_cannot_stand_in_an_address_is_none(fake_provider, kling, remote_id):
    fake_provider.plan = [answer({"task_id": remote_id, "task_status": "submitted"})]
    with pytest.raises(Unknown):
        kling.submit(smallest("kling-v3"), timeout=5)


# Keys ---------------------------------------------------------------------------------------


def unpacked(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_a_key_pair_becomes_a_signed_token(fake_provider):
    fake_provider.plan = [SUBMITTED, SUCCEEDED]
    provider = open_provider("kling", fake_provider.address, f"{ACCESS}:{SECRET}")
    provider.poll(provider.submit(smallest("kling-v3"), timeout=5).task, timeout=5)
    for request in fake_provider.requests:
        scheme, token = request.headers["authorization"].split(" ")
        head, claims, signature = token.split(".")
        expected = hmac.new(SECRET.encode(), f"{head}.{claims}".encode(), hashlib.sha256).digest()
        assert (scheme, unpacked(signature)) == ("Bearer", expected)
        assert json.loads(unpacked(head)) == {"alg": "HS256", "typ": "JWT"}
        said = json.loads(unpacked(claims))
        assert said["iss"] == ACCESS
        assert said["nbf"] < time.time() < said["exp"] <= time.time() + 1_800
        assert SECRET not in str(request.headers)


def test_a_gateways_key_is_never_a_pair(fake_provider):
    fake_provider.plan = [SUBMITTED]
    provider = Kling(f"{fake_provider.address}/kling", f"{ACCESS}:{SECRET}", at_gateway=True)
    provider.submit(replace(smallest("kling-v3"), wire_name="kling-3"), timeout=5)
    [request] = fake_provider.requests
    assert request.headers["authorization"] == f"Bearer {ACCESS}:{SECRET}"
    assert request.path == "/kling/v1/images/generations"
    assert request.json["model_name"] == "kling-3"


def test_neither_key_nor_token_is_in_an_error(fake_provider):
    sent: list[str] = []

    def echo(connection):
        sent.append(fake_provider.requests[-1].headers["authorization"].removeprefix("Bearer "))
        words = f"invalid token {sent[-1]} of {ACCESS} signed by {SECRET}"
        connection.sendall(error(401, {"code": 1002, "message": words, "request_id": sent[-1][:90]}))

    provider = open_provider("kling", fake_provider.address, f"{ACCESS}:{SECRET}")
    fake_provider.plan = [echo]
    with pytest.raises(Exception, match="does not accept the key") as caught:
        provider.balance(timeout=5)
    said = f"{caught.value!r} {caught.value.__dict__} {provider!r}"
    for secret in (ACCESS, SECRET, sent[0]):
        assert not any(secret[at : at + 9] in said for at in range(len(secret) - 9))


def test_a_list_of_tasks_tries_the_key_and_there_is_no_balance(fake_provider, kling):
    fake_provider.plan = [answer([])]
    assert kling.balance(timeout=5) is None
    assert fake_provider.requests[0].path == "/v1/images/generations?pageNum=1&pageSize=1"
    declared = catalogue_registry.system("kling")
    assert (declared.unit, declared.unit_value) == ("unit", 35)


def test_results_come_from_klings_hosts_or_the_accounts_own():
    hosts = Kling("https://api.example/kling", KEY).result_hosts
    assert {".klingai.com", "api.example"} <= set(hosts)


def test_another_systems_model_is_refused(kling, fake_provider):
    with pytest.raises(Refused, match="does not have the model"):
        kling.submit(ImageRequest("core", {"prompt": "a boat"}), timeout=5)
    assert not fake_provider.requests
