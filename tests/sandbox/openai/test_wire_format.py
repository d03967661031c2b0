"""OpenAI's API is as the maker documents it: what it has not is refused.

Source: docs/providers/openai.md, "Generations", "Edits", "Answers" and "Statuses".
"""

from __future__ import annotations

import base64
import json

import pytest
import requests

from tests.sandbox.conftest import encoded, opened, picture
from tests.sandbox.stability.pictures import mask

LEAST = {"model": "gpt-image-2.6-flare", "prompt": "a quiet harbour", "quality": "low"}
SIZE = (640, 480)


def generate(client, *, prefix="", **fields):
    url = f"{client.sandbox.url}{prefix}/v1/images/generations"
    return requests.post(url, headers=client.headers, json=LEAST | fields, timeout=20)


def edit(client, files, **fields):
    url = f"{client.sandbox.url}/v1/images/edits"
    return requests.post(url, headers=client.headers, data=LEAST | fields, files=files, timeout=20)


def error_of(answer, status):
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    return error


def image_of(answer):
    assert answer.status_code == 200, answer.text
    return opened(base64.b64decode(answer.json()["data"][0]["b64_json"]))


def test_a_picture_comes_as_base64_with_what_was_drawn_and_its_tokens(client):
    answer = generate(client)
    assert image_of(answer).size == (1024, 1024)
    document = answer.json()
    assert document["data"][0].keys() == {"b64_json"}
    told = {name: document[name] for name in ("background", "output_format", "quality", "size")}
    assert told == {"background": "opaque", "output_format": "png", "quality": "low", "size": "1024x1024"}
    usage = document["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["input_tokens_details"]["image_tokens"] == 0


def test_the_account_pays_for_the_tokens(client):
    before = client.sandbox.state()["credits"]
    usage = generate(client).json()["usage"]
    cost = (usage["input_tokens"] * 5 + usage["output_tokens"] * 30) / 10_000  # cents
    assert before - client.sandbox.state()["credits"] == pytest.approx(cost, abs=0.01)


@pytest.mark.parametrize("count", [1, 3])
def test_n_pictures_come_in_one_answer(client, count):
    assert len(generate(client, n=count).json()["data"]) == count


@pytest.mark.parametrize("size", ["1536x1024", "2048x1152", "672x1568"])
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_size_and_format_are_as_asked_for(client, size, kind):
    image = image_of(generate(client, size=size, output_format=kind))
    assert (f"{image.width}x{image.height}", image.format.lower()) == (size, kind)


def test_a_transparent_background_has_alpha(artist):
    image = image_of(generate(artist, background="transparent"))
    assert image.mode == "RGBA"
    lowest, highest = image.getchannel("A").getextrema()
    assert lowest == 0
    assert highest > 128  # how dense the drawing is depends on its seed


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"response_format": "url"}, "response_format", "unknown_parameter"),
        ({"style": "vivid"}, "style", "unknown_parameter"),
        ({"seed": 7}, "seed", "unknown_parameter"),
        ({"negative_prompt": "people"}, "negative_prompt", "unknown_parameter"),
        ({"quality": "hd"}, "quality", "invalid_value"),
        ({"model": "gpt-image-2", "quality": "max"}, "quality", "invalid_value"),
        ({"size": "1000x1000"}, "size", "invalid_value"),
        ({"n": 11}, "n", "invalid_value"),
        ({"n": "1.5"}, "n", "invalid_value"),
        ({"prompt": ""}, "prompt", "invalid_value"),
        ({"prompt": "x" * 32_001}, "prompt", "invalid_value"),
        ({"background": "transparent", "output_format": "jpeg"}, "background", "invalid_value"),
        ({"output_compression": 50}, "output_compression", "invalid_value"),
        ({"output_format": "gif"}, "output_format", "invalid_value"),
        ({"output_format": "svg", "n": 2}, "output_format", "invalid_value"),
        ({"output_format": "svg", "background": "transparent"}, "background", "invalid_value"),
    ],
)
def test_a_field_that_the_maker_does_not_take_is_refused(client, fields, param, code):
    error = error_of(generate(client, **fields), 400)
    assert (error["param"], error["code"], error["type"]) == (param, code, "invalid_request_error")


@pytest.mark.parametrize("model", ["dall-e-3", "gpt-image-1", "gpt-image-1.5", "core"])
def test_a_model_that_ended_is_not_found(client, model):
    assert error_of(generate(client, model=model), 404)["code"] == "model_not_found"


def test_a_wrong_key_is_echoed_in_part(client):
    client.headers = {"authorization": "Bearer sk-wrong-key-for-tests"}
    error = error_of(generate(client), 401)
    assert error["code"] == "invalid_api_key"
    assert "sk-wrong" in error["message"]


def test_money_and_pace_are_both_429_with_codes_of_their_own(client):
    client.sandbox.state(credits=0)
    assert error_of(generate(client), 429)["code"] == "insufficient_quota"
    client.sandbox.state(credits=100)
    client.sandbox.plan("429:3")
    answer = generate(client)
    assert error_of(answer, 429)["code"] == "rate_limit_exceeded"
    assert answer.headers["retry-after"] == "3"


def test_a_flagged_prompt_is_blocked_and_any_language_is_taken(client):
    error = error_of(generate(client, prompt="a forbidden harbour"), 400)
    assert (error["code"], error["type"]) == ("moderation_blocked", "image_generation_user_error")
    assert "safety_violations" in error["message"]
    assert generate(client, prompt="黎明时分的海港").status_code == 200


def test_a_mask_says_by_its_transparency_what_changes(artist):
    white = opened(mask((100, 100, 300, 300), SIZE)).convert("L")
    masked = white.point(lambda value: 255 - value)
    sent = opened(picture(SIZE)).convert("RGBA")
    sent.putalpha(masked)
    files = {"image": picture(SIZE), "mask": encoded(sent)}
    answer = edit(artist, files, size="1024x1024")
    assert image_of(answer).size == (1024, 1024)
    usage = answer.json()["usage"]
    assert usage["input_tokens_details"]["image_tokens"] > 0


def test_an_edit_is_as_wide_as_its_first_image_unless_it_is_asked_otherwise(client):
    assert image_of(edit(client, {"image": picture((600, 1000))})).size == (1024, 1536)
    files = [("image[]", ("a.png", picture((1000, 600)))), ("image[]", ("b.png", picture((64, 64))))]
    assert image_of(edit(client, files)).size == (1536, 1024)


@pytest.mark.parametrize(
    ("files", "param"),
    [
        ({"image": b"no image"}, "image"),
        ({"image": picture(SIZE), "mask": picture(SIZE)}, "mask"),
        ({"image": picture(SIZE), "mask": picture(SIZE, "jpeg")}, "mask"),
    ],
)
def test_an_image_or_mask_that_cannot_be_read_is_refused(client, files, param):
    error = error_of(edit(client, files), 400)
    assert (error["param"], error["code"]) == (param, "invalid_image_file")


def test_an_edit_needs_an_image(client):
    assert error_of(edit(client, {"none": b""}), 400)["param"] == "image"


def test_an_edit_may_be_sent_as_json_with_data_addresses(client):
    link = {"image_url": "data:image/png;base64," + base64.b64encode(picture(SIZE)).decode()}
    url = f"{client.sandbox.url}/v1/images/edits"
    answer = requests.post(url, headers=client.headers, json=LEAST | {"images": [link]}, timeout=20)
    assert image_of(answer).size == (1536, 1024)


def test_a_stream_ends_with_the_whole_picture(client):
    answer = generate(client, stream=True, partial_images=2)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    names = [event["type"] for event in events]
    assert names == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
    assert opened(base64.b64decode(events[-1]["b64_json"])).size == (1024, 1024)
    assert events[-1]["usage"]["output_tokens"] > 0


def test_live_models_are_listed(client):
    listed = client.get("/v1/models").json()["data"]
    assert {"gpt-image-2", "gpt-image-2.6-sunburst"} <= {entry["id"] for entry in listed}
    assert client.get("/v1/models/gpt-image-2").json()["id"] == "gpt-image-2"
    assert client.get("/v1/models/dall-e-3").status_code == 404


def test_a_gateway_answers_with_an_address_to_which_no_key_may_be_sent(client):
    [entry] = generate(client, prefix="/openai").json()["data"]
    assert entry["b64_json"] is None
    assert requests.get(entry["url"], headers=client.headers, timeout=10).status_code == 403
    assert opened(requests.get(entry["url"], timeout=10).content).size == (1024, 1024)
    [entry] = generate(client, prefix="/openai", response_format="b64_json").json()["data"]
    assert entry["url"] == ""
    assert error_of(generate(client, prefix="/openai", prompt="gore"), 451)["type"] == "new_api_error"
