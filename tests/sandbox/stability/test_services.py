"""Edit, upscale and control take what Stability documents, refuse the rest, and cost their list price.

Source: docs/providers/stability.md, "Edit, upscale and control", written here once more, by hand.
"""

import base64

import pytest
import requests
from PIL import Image

from tests.sandbox.conftest import Client, encoded, opened, picture
from tests.sandbox.stability.pictures import AT_ONCE, IMAGE, LATER, LEAST

COSTS = {
    "edit/erase": 5,
    "edit/inpaint": 5,
    "edit/outpaint": 4,
    "edit/search-and-replace": 5,
    "edit/search-and-recolor": 5,
    "edit/remove-background": 5,
    "edit/replace-background-and-relight": 8,
    "upscale/fast": 2,
    "upscale/conservative": 40,
    "upscale/creative": 60,
    "control/sketch": 5,
    "control/structure": 5,
    "control/style": 5,
    "control/style-transfer": 8,
}
LIGHT = {"light_source_direction": "left"}
# service, field, the ends of its range, what is just outside, what goes with it
RANGES = [
    ("edit/erase", "grow_mask", (0, 20), (-1, 21, 1.5, "x", ""), {}),
    ("edit/inpaint", "grow_mask", (0, 100), (-1, 101, 2.5), {}),
    ("edit/outpaint", "left", (0, 2000), (-1, 2001, 1.5), {"right": 1}),
    ("edit/outpaint", "right", (0, 2000), (-1, 2001), {"left": 1}),
    ("edit/outpaint", "up", (0, 2000), (-1, 2001), {"left": 1}),
    ("edit/outpaint", "down", (0, 2000), (-1, 2001), {"left": 1}),
    ("edit/outpaint", "creativity", (0, 1), (-0.01, 1.01, "nan", "1_0"), {}),
    ("edit/search-and-replace", "grow_mask", (0, 20), (-1, 21), {}),
    ("edit/search-and-recolor", "grow_mask", (0, 20), (-1, 21), {}),
    ("edit/replace-background-and-relight", "preserve_original_subject", (0, 1), (-0.01, 1.01), {}),
    ("edit/replace-background-and-relight", "original_background_depth", (0, 1), (-0.01, 1.01), {}),
    ("edit/replace-background-and-relight", "light_source_strength", (0, 1), (-0.01, 1.01), LIGHT),
    ("upscale/conservative", "creativity", (0.2, 0.5), (0.19, 0.51), {}),
    ("upscale/creative", "creativity", (0.1, 0.5), (0.09, 0.51), {}),
    ("control/sketch", "control_strength", (0, 1), (-0.01, 1.01), {}),
    ("control/structure", "control_strength", (0, 1), (-0.01, 1.01), {}),
    ("control/style", "fidelity", (0, 1), (-0.01, 1.01), {}),
    ("control/style-transfer", "style_strength", (0, 1), (-0.01, 1.01), {}),
    ("control/style-transfer", "composition_fidelity", (0, 1), (-0.01, 1.01), {}),
    ("control/style-transfer", "change_strength", (0.1, 1), (0.09, 1.01), {}),
]
SEEDED = [path for path in LEAST if path not in ("edit/remove-background", "upscale/fast")]
STYLED = [
    "edit/inpaint",
    "edit/outpaint",
    "edit/search-and-replace",
    "edit/search-and-recolor",
    "upscale/creative",
    "control/sketch",
    "control/structure",
    "control/style",
]
REQUIRED = [(path, name) for path, (files, texts) in LEAST.items() for name in (*files, *texts)]
FRAMED = [  # take ratios from 1:2.5 to 2.5:1
    ("edit/outpaint", "image"),
    ("edit/search-and-replace", "image"),
    ("edit/search-and-recolor", "image"),
    ("edit/replace-background-and-relight", "subject_image"),
    ("upscale/conservative", "image"),
    ("control/sketch", "image"),
    ("control/structure", "image"),
    ("control/style", "image"),
    ("control/style-transfer", "init_image"),
]
UNFRAMED = [
    (path, name) for path, (files, _) in LEAST.items() for name in files if (path, name) not in FRAMED
]


def call(client: Client, path: str, *, files: dict[str, bytes] | None = None, **fields) -> requests.Response:
    """Call a service with the least that it takes, and these."""
    least_files, texts = LEAST[path]
    return client.post(path, {**least_files, **(files or {})}, **{**texts, **fields})


def refused(answer: requests.Response) -> set[str]:
    """Return the fields that a refusal names."""
    assert (answer.status_code, answer.json()["name"]) == (400, "bad_request")
    assert set(answer.json()) == {"id", "name", "errors"}
    return {error.split(":")[0] for error in answer.json()["errors"]}


def flat(size: tuple[int, int]) -> bytes:
    """Return a large image in few bytes."""
    return encoded(Image.new("1", size))


@pytest.mark.parametrize("path", AT_ONCE)
@pytest.mark.parametrize("output_format", ["png", "webp"])
def test_an_image_comes_as_bytes_or_in_json(client: Client, path: str, output_format: str) -> None:
    answer = call(client, path, output_format=output_format)
    assert (answer.status_code, answer.headers["content-type"]) == (200, f"image/{output_format}")
    assert answer.headers["finish-reason"] == "SUCCESS"
    assert opened(answer.content).format.lower() == output_format
    files, texts = LEAST[path]
    body = client.post(path, files, **texts, accept="application/json").json()
    assert set(body) == {"image", "finish_reason", "seed"}
    assert opened(base64.b64decode(body["image"])).format == "PNG"


@pytest.mark.parametrize("path", LEAST)
def test_each_service_has_its_list_price(client: Client, path: str) -> None:
    client.sandbox.state(credits=COSTS[path] + 0.5)
    assert call(client, path).status_code == 200
    assert client.sandbox.state()["credits"] == 0.5
    assert client.sandbox.calls()[-1]["cost"] == COSTS[path]
    assert call(client, path).json()["name"] == "payment_required"


@pytest.mark.parametrize(("path", "name", "ends", "outside", "others"), RANGES)
def test_both_ends_of_a_range_are_taken_and_nothing_beyond(
    client: Client, path: str, name: str, ends: tuple, outside: tuple, others: dict
) -> None:
    for value in ends:
        assert call(client, path, **{**others, name: value}).status_code == 200
    for value in outside:
        assert refused(call(client, path, **{**others, name: value})) == {name}


@pytest.mark.parametrize("path", SEEDED)
def test_seeds_have_a_range(client: Client, path: str) -> None:
    assert refused(call(client, path, seed=4_294_967_295)) == {"seed"}
    assert refused(call(client, path, seed=-1)) == {"seed"}
    answer = call(client, path, seed=4_294_967_294)
    assert answer.status_code == 200
    assert path in LATER or answer.headers["seed"] == "4294967294"


@pytest.mark.parametrize("path", LEAST)
def test_formats_are_those_documented(client: Client, path: str) -> None:
    assert refused(call(client, path, output_format="gif")) == {"output_format"}
    jpeg = call(client, path, output_format="jpeg")
    if path == "edit/remove-background":
        assert refused(jpeg) == {"output_format"}
    else:
        assert jpeg.status_code == 200


@pytest.mark.parametrize("path", STYLED)
def test_styles_are_those_documented(client: Client, path: str) -> None:
    assert refused(call(client, path, style_preset="cubist")) == {"style_preset"}
    assert call(client, path, style_preset="pixel-art").status_code == 200


def test_choices_are_those_documented(client: Client) -> None:
    relight = "edit/replace-background-and-relight"
    assert refused(call(client, relight, light_source_direction="front")) == {"light_source_direction"}
    assert refused(call(client, relight, keep_original_background="yes")) == {"keep_original_background"}
    assert refused(call(client, "control/style", aspect_ratio="4:3")) == {"aspect_ratio"}
    for direction in ("left", "right", "above", "below"):
        assert call(client, relight, light_source_direction=direction).status_code == 200
    assert call(client, relight, keep_original_background="true").status_code == 200


@pytest.mark.parametrize(("path", "name"), REQUIRED)
def test_what_is_required_is_named(client: Client, path: str, name: str) -> None:
    files, texts = LEAST[path]
    left_files = {key: data for key, data in files.items() if key != name}
    left = client.post(path, left_files, **{key: text for key, text in texts.items() if key != name})
    named = "left, right, up, down" if name == "left" else name
    assert refused(left) == {named}
    if name in files:
        assert refused(client.post(path, left_files, **texts, **{name: "a text"})) == {name}


def test_texts_have_a_length(client: Client) -> None:
    long = "x" * 10_001
    for name in ("prompt", "search_prompt", "negative_prompt"):
        assert refused(call(client, "edit/search-and-replace", **{name: long})) == {name}
    assert call(client, "edit/search-and-replace", negative_prompt=long[1:]).status_code == 200


def test_outpaint_needs_a_direction(client: Client) -> None:
    zero = dict.fromkeys(("left", "right", "up", "down"), 0)
    assert refused(call(client, "edit/outpaint", **zero)) == {"left, right, up, down"}
    too_much = dict.fromkeys(zero, 2_000)
    large = {"image": flat((200, 200))}
    assert refused(call(client, "edit/outpaint", files=large, **too_much)) == {"left, right, up, down"}


def test_a_relit_image_needs_a_background_and_its_strength_a_light(client: Client) -> None:
    relight, subject = "edit/replace-background-and-relight", LEAST["edit/replace-background-and-relight"][0]
    assert refused(client.post(relight, subject)) == {"background_prompt"}
    assert client.post(relight, {**subject, "background_reference": picture((80, 70))}).status_code == 200
    assert refused(call(client, relight, light_source_strength=0.5)) == {"light_source_strength"}
    light = {"light_reference": picture((80, 70))}
    assert call(client, relight, files=light, light_source_strength=0.5).status_code == 200


@pytest.mark.parametrize(
    ("path", "name"), [*FRAMED, ("control/style-transfer", "style_image"), ("edit/erase", "image")]
)
def test_input_images_have_limits(client: Client, path: str, name: str) -> None:
    for wrong in (flat((64, 63)), flat((63, 64)), flat((3073, 3072)), b"no image at all", picture()[:-900]):
        assert refused(call(client, path, files={name: wrong})) == {name}
    assert refused(call(client, path, files={name: encoded(Image.new("RGB", (90, 90)), "gif")})) == {name}
    for kind in ("jpeg", "png", "webp"):
        assert call(client, path, files={name: picture((64, 64), kind)}).status_code == 200


@pytest.mark.parametrize(("path", "name"), FRAMED)
def test_some_inputs_have_a_ratio(client: Client, path: str, name: str) -> None:
    for size in ((64, 161), (161, 64)):
        assert refused(call(client, path, files={name: flat(size)})) == {name}
    for size in ((64, 160), (160, 64)):
        assert call(client, path, files={name: flat(size)}).status_code == 200


@pytest.mark.parametrize(("path", "name"), UNFRAMED)
def test_others_have_none(client: Client, path: str, name: str) -> None:
    assert call(client, path, files={name: flat((64, 320))}).status_code == 200


def test_services_with_limits_of_their_own(client: Client) -> None:
    for size in ((31, 40), (1537, 64), (1025, 1024)):
        assert refused(call(client, "upscale/fast", files={"image": flat(size)})) == {"image"}
    assert call(client, "upscale/fast", files={"image": flat((32, 32))}).status_code == 200
    assert call(client, "upscale/fast", files={"image": flat((1536, 40))}).status_code == 200
    assert refused(call(client, "upscale/creative", files={"image": flat((1025, 1024))})) == {"image"}
    assert call(client, "upscale/creative", files={"image": flat((1024, 1024))}).status_code == 200
    assert refused(call(client, "edit/remove-background", files={"image": flat((2049, 2048))})) == {"image"}
    assert call(client, "edit/remove-background", files={"image": flat((2048, 2048))}).status_code == 200
    long = {"image": flat((64, 16_384))}
    for path in ("edit/erase", "edit/inpaint", "edit/remove-background", "upscale/creative"):
        assert refused(call(client, path, files=long, output_format="webp")) == {"output_format"}
    wide = {"image": flat((10_000, 64))}  # enlarged 2.5 times
    assert refused(call(client, "upscale/creative", files=wide, output_format="webp")) == {"output_format"}
    assert call(client, "edit/erase", files=wide, output_format="webp").status_code == 200


def test_masks_have_one_of_the_formats_and_any_size(client: Client) -> None:
    for path in ("edit/erase", "edit/inpaint"):
        assert refused(call(client, path, files={"mask": b"no image"})) == {"mask"}
        assert refused(call(client, path, mask="a text")) == {"mask"}
        assert call(client, path, files={"mask": picture((5, 300), "jpeg")}).status_code == 200


def test_ten_mebibytes_are_the_limit_of_all_files_together(client: Client) -> None:
    half = bytes(6 * 1024 * 1024)
    answer = call(client, "edit/erase", files={"image": half, "mask": half})
    assert (answer.status_code, answer.json()["name"]) == (413, "payload_too_large")


def test_unknown_fields_are_ignored_except_in_strict_mode(client: Client) -> None:
    assert call(client, "upscale/fast", seed=5, prompt="boat").status_code == 200
    client.sandbox.state(strict=True)
    assert refused(call(client, "upscale/fast", seed=5)) == {"seed"}
    assert call(client, "upscale/fast").status_code == 200


def test_every_invalid_field_is_named(client: Client) -> None:
    answer = call(
        client, "edit/inpaint", grow_mask="x", seed=-1, prompt="", files={"image": b"x", "mask": b"x"}
    )
    assert refused(answer) == {"grow_mask", "seed", "prompt", "image", "mask"}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("edit/inpaint", "prompt"),
        ("edit/search-and-replace", "search_prompt"),
        ("edit/search-and-recolor", "select_prompt"),
        ("edit/replace-background-and-relight", "background_prompt"),
        ("edit/replace-background-and-relight", "foreground_prompt"),
        ("upscale/creative", "prompt"),
    ],
)
def test_all_prompts_are_moderated_and_not_charged(client: Client, path: str, name: str) -> None:
    before = client.sandbox.state()["credits"]
    flagged, foreign = (
        call(client, path, **{name: text})
        for text in ("forbidden", "海上日出の風景写真と空と海と山と川と花と鳥と風と月")
    )
    assert (flagged.status_code, flagged.json()["name"]) == (403, "content_moderation")
    assert (foreign.status_code, foreign.json()["name"]) == (422, "invalid_language")
    assert client.sandbox.state()["credits"] == before


def test_faults_are_planned_for_services_too(client: Client) -> None:
    client.sandbox.plan("422-public-figure", "429:7", "500", "garbage", "not-an-image")
    figure, busy, broken, garbage, damaged = (call(client, "edit/erase") for _ in range(5))
    assert (figure.status_code, figure.json()["name"]) == (422, "public_figure")
    assert (busy.status_code, busy.headers["retry-after"]) == (429, "7")
    assert broken.json()["name"] == "internal_error"
    assert garbage.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        garbage.json()
    with pytest.raises(OSError, match="cannot identify"):
        opened(damaged.content)
    client.sandbox.plan({"outcome": "403", "match": "square"})
    assert call(client, "edit/search-and-replace", search_prompt="a square").status_code == 403


def test_a_gateway_serves_them_below_its_prefix_and_wrong_paths_are_not_found(client: Client) -> None:
    files, texts = LEAST["upscale/fast"]
    assert client.post("/sd/v2beta/stable-image/upscale/fast", files, **texts).status_code == 200
    for path in ("edit/paint", "upscale", "control/erase", "generate/creative"):
        assert client.post(path, IMAGE).json()["name"] == "not_found"
    assert client.get("/v2beta/stable-image/edit/erase").status_code == 404
    client.headers = {"authorization": "Bearer sk-wrong"}
    assert client.post("edit/erase", IMAGE).status_code == 401
