"""v1 makes images from images, and under masks.

Source: docs/providers/stability.md, "v1 image to image".
"""

import base64

import pytest
import requests
from PIL import Image, ImageChops

from tests.sandbox.conftest import SDXL, Client, encoded, opened, picture
from tests.sandbox.stability.pictures import mask, noise

SD16 = "stable-diffusion-v1-6"
SMALL = (320, 384)
MARKED = (100, 80, 219, 199)
PROMPT = {"text_prompts[0][text]": "mountain forest"}


@pytest.fixture(scope="module")
def source() -> Image.Image:
    return noise(SMALL)


def post(
    client: Client,
    files: dict[str, bytes],
    *,
    engine: str = SD16,
    masking: bool = False,
    accept: str = "",
    **fields,
) -> requests.Response:
    path = f"/v1/generation/{engine}/image-to-image{'/masking' * masking}"
    return client.post(path, files, accept=accept or "image/png", **{**PROMPT, **fields})


def drawn(client: Client, files: dict[str, bytes], **options) -> Image.Image:
    answer = post(client, files, seed=6, **options)
    assert answer.status_code == 200, answer.text
    return opened(answer.content)


def difference(first: Image.Image, second: Image.Image) -> float:
    histogram = ImageChops.difference(first.convert("L"), second.convert("L")).histogram()
    return sum(value * count for value, count in enumerate(histogram)) / sum(histogram)


def message(answer: requests.Response) -> str:
    assert answer.status_code == 400
    assert set(answer.json()) == {"id", "name", "message"}
    return answer.json()["message"]


def test_a_strength_near_one_keeps_the_image(artist: Client, source: Image.Image) -> None:
    files = {"init_image": encoded(source)}
    same, near, default, far = (
        drawn(artist, files, **options)
        for options in ({"image_strength": 1}, {"image_strength": 0.9}, {}, {"image_strength": 0})
    )
    distances = [difference(source, image) for image in (same, near, default, far)]
    assert same.size == SMALL
    assert distances[0] == 0 < distances[1] < distances[2] < distances[3]


def test_a_schedule_that_starts_late_redraws_more(artist: Client, source: Image.Image) -> None:
    files = {"init_image": encoded(source)}
    late = drawn(
        artist, files, init_image_mode="STEP_SCHEDULE", step_schedule_start=0.8, step_schedule_end=0.01
    )
    early = drawn(artist, files, init_image_mode="STEP_SCHEDULE", step_schedule_start=0.2)
    default = drawn(artist, files, init_image_mode="STEP_SCHEDULE")
    assert difference(source, early) < difference(source, default) < difference(source, late)
    # As documented, both ways say the same.
    assert default.tobytes() == drawn(artist, files, image_strength=0.35).tobytes()


def test_answers_are_those_of_text_to_image(artist: Client, source: Image.Image) -> None:
    answer = post(artist, {"init_image": encoded(source)}, accept="application/json", samples=2, seed=5)
    artifacts = answer.json()["artifacts"]
    assert [(one["finishReason"], one["seed"]) for one in artifacts] == [("SUCCESS", 5), ("SUCCESS", 6)]
    images = [base64.b64decode(one["base64"]) for one in artifacts]
    assert images[0] != images[1]
    png = post(artist, {"init_image": encoded(source)}, seed=5)
    assert (png.headers["finish-reason"], png.headers["seed"]) == ("SUCCESS", "5")
    assert png.content == images[0]


def test_prompts_are_counted_and_weighted(artist: Client, source: Image.Image) -> None:
    files = {"init_image": encoded(source)}
    weighted = {"text_prompts[1][text]": "boat", "text_prompts[1][weight]": "-1"}
    assert (
        drawn(artist, files, image_strength=0).tobytes()
        != drawn(artist, files, image_strength=0, **weighted).tobytes()
    )
    entry = artist.sandbox.calls()[-1]
    assert entry["fields"]["text_prompts[1][weight]"] == "-1"
    assert list(entry["files"]) == ["init_image"]
    flagged = post(artist, files, **{"text_prompts[0][text]": "forbidden"})
    assert (flagged.status_code, flagged.json()["name"]) == (403, "permission_denied")


@pytest.mark.parametrize("source_name", ["MASK_IMAGE_WHITE", "MASK_IMAGE_BLACK", "INIT_IMAGE_ALPHA"])
def test_a_mask_limits_what_is_redrawn(artist: Client, source: Image.Image, source_name: str) -> None:
    white = mask(MARKED, SMALL)
    files = {"init_image": encoded(source), "mask_image": white}
    if source_name == "MASK_IMAGE_BLACK":
        files["mask_image"] = encoded(ImageChops.invert(opened(white)))
    if source_name == "INIT_IMAGE_ALPHA":
        image = source.copy()
        image.putalpha(ImageChops.invert(opened(white)))
        files = {"init_image": encoded(image)}
    masked = drawn(artist, files, masking=True, mask_source=source_name)
    box = ImageChops.difference(masked, source).getbbox()
    assert (box[0], box[1], box[2] - 1, box[3] - 1) == MARKED


def test_a_mask_is_needed_and_as_large_as_the_image(client: Client, source: Image.Image) -> None:
    files = {"init_image": encoded(source)}
    assert "mask_source: is required" in message(post(client, files, masking=True))
    assert "mask_image: is required" in message(
        post(client, files, masking=True, mask_source="MASK_IMAGE_WHITE")
    )
    other = {**files, "mask_image": mask(MARKED, (320, 385))}
    assert "mask_image" in message(post(client, other, masking=True, mask_source="MASK_IMAGE_WHITE"))
    assert "mask_source" in message(post(client, files, masking=True, mask_source="WHITE"))
    assert post(client, files, masking=True, mask_source="INIT_IMAGE_ALPHA").status_code == 200


def test_sdxl_takes_its_sizes_alone(client: Client) -> None:
    answer = post(client, {"init_image": picture((512, 512))}, engine=SDXL)
    assert answer.json()["name"] == "invalid_sdxl_v1_dimensions"
    assert message(answer).endswith("but we received 512x512")
    for size in ((1024, 1024), (640, 1536)):
        assert opened(post(client, {"init_image": picture(size, "jpeg")}, engine=SDXL).content).size == size


def test_sd16_takes_sides_of_its_range(client: Client) -> None:
    for size in ((320, 1536), (1536, 320)):
        assert post(client, {"init_image": picture(size)}).status_code == 200
    for size in ((319, 400), (400, 1537)):
        assert message(post(client, {"init_image": picture(size)})).startswith("init_image:")


def test_sd16_draws_from_text_in_its_sizes(client: Client) -> None:
    assert opened(client.generate_v1(SD16, accept="image/png").content).size == (512, 512)
    for size in ((320, 1536), (1536, 320)):
        png = client.generate_v1(SD16, accept="image/png", width=size[0], height=size[1])
        assert opened(png.content).size == size
    for width in (256, 1600, 500):
        assert "width" in message(client.generate_v1(SD16, width=width, height=512))


@pytest.mark.parametrize(
    ("name", "ends", "wrong"),
    [
        ("image_strength", (0, 1), (-0.1, 1.1, "x")),
        ("step_schedule_start", (0, 1), (-0.1, 1.1)),
        ("step_schedule_end", (0, 1), (-0.1, 1.1)),
        ("cfg_scale", (0, 35), (-1, 36)),
        ("samples", (1, 2), (0, 11, 1.5)),
        ("steps", (10, 50), (9, 51)),
        ("seed", (0, 4_294_967_295), (-1, 4_294_967_296)),
        ("init_image_mode", ("IMAGE_STRENGTH", "STEP_SCHEDULE"), ("STRENGTH", "5")),
        ("sampler", ("DDIM", "K_LMS"), ("FAST",)),
        ("clip_guidance_preset", ("NONE", "SLOWEST"), ("SOME",)),
        ("style_preset", ("enhance", "tile-texture"), ("cubist",)),
    ],
)
def test_fields_have_their_ranges(
    client: Client, source: Image.Image, name: str, ends: tuple, wrong: tuple
) -> None:
    files = {"init_image": encoded(source)}
    for value in ends:
        assert post(client, files, **{name: value}).status_code == 200
    for value in wrong:
        assert name in message(post(client, files, **{name: value}))


def test_image_and_prompt_are_needed_and_checked(client: Client, source: Image.Image) -> None:
    files = {"init_image": encoded(source)}
    assert message(post(client, {})) == "init_image: is required"
    assert "init_image" in message(post(client, {"init_image": encoded(source)[:-900]}))
    assert "text_prompts" in message(post(client, files, **{"text_prompts[0][text]": ""}))
    assert "weight" in message(post(client, files, **{"text_prompts[0][weight]": "much"}))
    url = f"{client.sandbox.url}/v1/generation/{SD16}/image-to-image"
    assert "multipart" in message(requests.post(url, headers=client.headers, json={}, timeout=5))
    assert post(client, files, engine="sd-9").status_code == 404


def test_width_and_height_are_ignored_except_in_strict_mode(client: Client, source: Image.Image) -> None:
    files = {"init_image": encoded(source)}
    assert opened(post(client, files, width=512, height=512).content).size == SMALL
    client.sandbox.state(strict=True)
    assert "width: is not a field" in message(post(client, files, width=512))
    assert "mask_source: is not a field" in message(post(client, files, mask_source="INIT_IMAGE_ALPHA"))
    assert post(client, files, image_strength=0.5).status_code == 200


def test_images_cost_by_steps_and_samples(client: Client, source: Image.Image) -> None:
    client.sandbox.state(credits=10)
    post(client, {"init_image": encoded(source)}, samples=2)
    post(client, {"init_image": encoded(source)}, steps=50)
    assert client.get("/v1/user/balance").json() == {"credits": 6.7}
