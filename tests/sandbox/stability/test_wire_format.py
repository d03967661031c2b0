"""The API is as Stability documents it.

Source: docs/providers/stability.md, "Fields", "Sizes", "Answers", "Statuses", "v1 text to image" and
"Balance and account".
"""

import base64

import pytest
import requests

from tests.sandbox.conftest import SDXL, Client, opened, picture

RATIOS = {
    "21:9": (1536, 640),
    "16:9": (1344, 768),
    "3:2": (1216, 832),
    "5:4": (1088, 896),
    "1:1": (1024, 1024),
    "4:5": (896, 1088),
    "2:3": (832, 1216),
    "9:16": (768, 1344),
    "9:21": (640, 1536),
}


def test_seed_and_finish_reason_are_headers_of_an_image(client: Client) -> None:
    answer = client.generate(seed=77)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert (answer.headers["seed"], answer.headers["finish-reason"]) == ("77", "SUCCESS")
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp"])
def test_json_contains_the_image_and_has_no_such_headers(client: Client, output_format: str) -> None:
    answer = client.generate(accept="application/json", seed=77, output_format=output_format)
    assert answer.headers["content-type"] == f"application/json; type=image/{output_format}"
    assert "seed" not in answer.headers
    assert "finish-reason" not in answer.headers
    body = answer.json()
    assert (body["seed"], body["finish_reason"]) == (77, "SUCCESS")
    assert opened(base64.b64decode(body["image"])).format.lower() == output_format


def test_gateways_serve_the_same_below_a_prefix(client: Client) -> None:
    assert client.generate("sd3", prefix="/sd").status_code == 200
    assert client.get("/sd/v1/user/balance").json() == client.get("/v1/user/balance").json()


@pytest.mark.parametrize("ratio", RATIOS)
def test_every_ratio_has_its_size(client: Client, ratio: str) -> None:
    assert opened(client.generate("ultra", aspect_ratio=ratio).content).size == RATIOS[ratio]
    core = opened(client.generate("core", aspect_ratio=ratio).content)
    across, down = map(int, ratio.split(":"))
    assert core.width % 16 == core.height % 16 == 0
    assert core.width / core.height == pytest.approx(across / down, rel=0.03)
    assert 1.4e6 < core.width * core.height <= 1.5e6


@pytest.mark.parametrize("body", ["json", "data"])
def test_anything_but_multipart_is_refused(client: Client, body: str) -> None:
    url = f"{client.sandbox.url}/v2beta/stable-image/generate/core"
    answer = requests.post(url, headers=client.headers, **{body: {"prompt": "boat"}}, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["name"] == "bad_request"
    assert answer.json()["errors"] == ["content-type: must be multipart/form-data"]


def test_an_incomplete_form_is_refused(client: Client) -> None:
    head = b'--x\r\ncontent-disposition: form-data; name="prompt"\r\n\r\nboat'
    answer = requests.post(
        f"{client.sandbox.url}/v2beta/stable-image/generate/core",
        headers={**client.headers, "content-type": "multipart/form-data; boundary=x"},
        data=head,
        timeout=5,
    )
    assert answer.status_code == 400


def test_every_invalid_field_is_named(client: Client) -> None:
    answer = client.generate(
        "sd3", prompt=None, seed=4_294_967_295, aspect_ratio="4:3", output_format="gif",
        style_preset="cubist", model="sd9", cfg_scale=10.5, negative_prompt="x" * 10_001,
    )  # fmt: skip
    named = {error.split(":")[0] for error in answer.json()["errors"]}
    assert answer.status_code == 400
    assert named == {
        "prompt",
        "seed",
        "aspect_ratio",
        "output_format",
        "style_preset",
        "model",
        "cfg_scale",
        "negative_prompt",
    }


def test_both_ends_of_every_range_are_valid(client: Client) -> None:
    for seed, guidance, prompt in ((0, 1, "x"), (4_294_967_294, 10, "x" * 10_000)):
        answer = client.generate("sd3", prompt=prompt, seed=seed, cfg_scale=guidance)
        assert answer.status_code == 200
    assert client.generate(prompt="").status_code == 400
    assert client.generate(prompt="x" * 10_001).status_code == 400


def test_unknown_fields_are_ignored_except_in_strict_mode(client: Client) -> None:
    assert client.generate(mode="text-to-image", style="x").status_code == 200
    client.sandbox.state(strict=True)
    assert client.generate().status_code == 200
    assert client.generate(style="x").json()["errors"] == ["style: is not a field of this endpoint"]
    assert "aspect_ratio" in client.generate(
        "sd3", mode="image-to-image", strength=0.5, image=picture(), aspect_ratio="1:1"
    ).json()["errors"][0]  # fmt: skip


def test_a_start_image_needs_a_strength(client: Client) -> None:
    assert client.generate("ultra", image=picture()).json()["errors"] == ["strength: is required"]
    answer = client.generate("sd3", mode="image-to-image")
    assert answer.json()["errors"] == ["image: is required", "strength: is required"]
    answer = client.generate("sd3", mode="image-to-image", strength=0.5, image=b"no image at all")
    assert answer.json()["errors"] == ["image: must be a valid jpeg, png or webp image"]
    assert client.generate("ultra", image=picture((63, 80)), strength=0.5).status_code == 400


def test_more_than_ten_mebibytes_are_refused(client: Client) -> None:
    answer = client.generate("ultra", image=bytes(11 * 1024 * 1024), strength=0.5)
    assert answer.status_code == 413
    assert answer.json()["errors"] == ["body: payloads cannot be larger than 10MiB in size"]


def test_a_wrong_key_is_refused_and_v1_echoes_it(client: Client) -> None:
    client.headers = {"authorization": "Bearer sk-wrong"}
    modern, old = client.generate(), client.generate_v1()
    assert (modern.status_code, old.status_code) == (401, 401)
    assert modern.json()["errors"] == ["authorization: invalid or missing header value"]
    assert "sk-wrong" in old.json()["message"]
    assert client.get("/v1/nowhere").status_code == 401


def test_wrong_paths_and_engines_are_not_found(client: Client) -> None:
    assert client.generate("sd4").json()["name"] == "not_found"
    assert client.generate_v1("no-such-engine").status_code == 404
    assert client.get("/").status_code == 404


def test_flagged_and_foreign_prompts_are_refused_and_not_charged(client: Client) -> None:
    before = client.get("/v1/user/balance").json()
    flagged, foreign = client.generate(prompt="a forbidden place"), client.generate(prompt="海上日出")
    assert (flagged.status_code, flagged.json()["name"]) == (403, "content_moderation")
    assert (foreign.status_code, foreign.json()["name"]) == (422, "invalid_language")
    assert client.generate(prompt="Café à Orléans, naïve art").status_code == 200
    assert client.get("/v1/user/balance").json()["credits"] == before["credits"] - 3


@pytest.mark.parametrize(
    ("endpoint", "model", "cost"),
    [
        ("ultra", None, 8),
        ("core", None, 3),
        ("sd3", "sd3.5-large", 6.5),
        ("sd3", "sd3.5-large-turbo", 4),
        ("sd3", "sd3.5-medium", 3.5),
        ("sd3", "sd3.5-flash", 2.5),
        ("sd3", "sd3-medium", 3.5),
    ],
)
def test_each_model_has_its_list_price(client: Client, endpoint: str, model: str | None, cost: float) -> None:
    client.sandbox.state(credits=cost)
    assert client.generate(endpoint, model=model).status_code == 200
    assert client.get("/v1/user/balance").json() == {"credits": 0}
    short = client.generate(endpoint, model=model)
    assert (short.status_code, short.json()["name"]) == (402, "payment_required")


def test_v1_responds_with_artifacts_or_one_png(client: Client) -> None:
    answer = client.generate_v1(samples=2, seed=5, width=1344, height=768)
    artifacts = answer.json()["artifacts"]
    assert [(one["finishReason"], one["seed"]) for one in artifacts] == [("SUCCESS", 5), ("SUCCESS", 6)]
    assert opened(base64.b64decode(artifacts[0]["base64"])).size == (1344, 768)
    png = client.generate_v1(accept="image/png", seed=5)
    assert (png.headers["finish-reason"], png.headers["seed"]) == ("SUCCESS", "5")
    assert opened(png.content).size == (1024, 1024)


@pytest.mark.parametrize(
    "wrong",
    [
        {"text_prompts": []},
        {"text_prompts": [{"weight": 1}]},
        {"width": 1000},
        {"width": 1024, "height": 896},
        {"cfg_scale": 36},
        {"steps": 9},
        {"samples": 11},
        {"seed": 4_294_967_296},
        {"sampler": "FAST"},
        {"clip_guidance_preset": "SOME"},
        {"style_preset": "cubist"},
    ],
)
def test_v1_has_its_own_format_of_errors(client: Client, wrong: dict) -> None:
    answer = client.generate_v1(**wrong)
    assert answer.status_code == 400
    assert set(answer.json()) == {"id", "name", "message"}
    assert next(iter(wrong)) in answer.json()["message"]


def test_v1_costs_by_steps(client: Client) -> None:
    client.sandbox.state(credits=10)
    client.generate_v1(samples=2)
    client.generate_v1(steps=50)
    assert client.get("/v1/user/balance").json() == {"credits": 6.7}


def test_account_and_engines_are_served(client: Client) -> None:
    assert client.get("/v1/user/account").json()["organizations"][0]["is_default"]
    assert SDXL in [engine["id"] for engine in client.get("/v1/engines/list").json()]
