"""Images: of the right size and format, different or equal where they should be."""

import hashlib
from itertools import product

import pytest
from PIL import Image, ImageChops, ImageStat

from generations.sandbox import art
from generations.sandbox.art.scenes import SCENES
from generations.sandbox.art.styles import STYLE_NAMES
from tests.sandbox.conftest import Client, opened, picture


def small(data: bytes) -> Image.Image:
    """Return the image at a size that is quick to compare."""
    return opened(data).convert("RGB").resize((128, 128))


def difference(first: Image.Image, second: Image.Image) -> float:
    """Return the mean difference of two images, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(first, second)).mean) / 3


def test_the_same_request_gives_the_same_bytes(artist: Client) -> None:
    first, second = (artist.generate("sd3", seed=5).content for _ in range(2))
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()


def test_another_seed_gives_another_image(artist: Client) -> None:
    answers = [artist.generate("sd3", seed=seed) for seed in (5, 6, 0, None)]
    assert len({answer.content for answer in answers}) == 4
    assert all(int(answer.headers["seed"]) > 0 for answer in answers)


def test_the_returned_seed_draws_the_image_again(artist: Client) -> None:
    first = artist.generate("sd3", output_format="webp")
    again = artist.generate("sd3", output_format="webp", seed=first.headers["seed"])
    assert first.content == again.content


def test_a_picture_has_tones_and_a_reasonable_size(artist: Client) -> None:
    data = artist.generate("sd3", seed=1, prompt="misty mountains at dawn").content
    assert 300_000 < len(data) < 2_500_000
    assert min(ImageStat.Stat(opened(data)).stddev) > 20


@pytest.mark.parametrize(("words", "ratio"), list(product(SCENES, ["9:21", "21:9"])))
def test_every_scene_can_be_drawn_in_narrow_shapes(artist: Client, words: str, ratio: str) -> None:
    word = words.split(maxsplit=1)[0]
    answer = artist.generate("sd3", prompt=word, aspect_ratio=ratio, seed=3, output_format="jpeg")
    assert answer.status_code == 200
    assert min(ImageStat.Stat(opened(answer.content)).stddev) > 5


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (700, 2), (333, 77)])
def test_every_style_draws_any_size(size: tuple[int, int]) -> None:
    sizes = {style: art.draw("dunes", seed=3, style=style, size=size).size for style in ("", *STYLE_NAMES)}
    assert sizes == dict.fromkeys(("", *STYLE_NAMES), size)


def test_each_style_redraws_the_scene(artist: Client) -> None:
    common = {"seed": 4, "prompt": "sailing boats", "output_format": "jpeg"}
    drawn = {
        style: small(artist.generate("sd3", style_preset=style, **common).content) for style in STYLE_NAMES
    }
    drawn["none"] = small(artist.generate("sd3", **common).content)
    pairs = [(a, b) for a in drawn for b in drawn if a < b]
    alike = [(a, b) for a, b in pairs if difference(drawn[a], drawn[b]) < 0.8]
    assert alike == []


def test_strength_leads_from_the_start_image_to_a_new_one(artist: Client) -> None:
    start = picture((1024, 1024))
    steps = [
        small(artist.generate("ultra", image=start, strength=strength, seed=8, prompt="dunes").content)
        for strength in (0, 0.5, 1)
    ]
    distances = [difference(small(start), step) for step in steps]
    assert distances[0] < 1
    assert distances[0] < distances[1] < distances[2]


def test_a_start_image_decides_the_shape_unless_a_ratio_is_given(artist: Client) -> None:
    wide = picture((900, 500), "jpeg")
    edited = artist.generate("sd3", mode="image-to-image", strength=0.6, image=wide, output_format="jpeg")
    assert opened(edited.content).size == (1344, 768)
    chosen = artist.generate("ultra", strength=0.6, image=wide, aspect_ratio="1:1", output_format="jpeg")
    assert opened(chosen.content).size == (1024, 1024)


@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp"])
def test_plain_images_look_equal_and_differ_in_their_bytes(client: Client, output_format: str) -> None:
    first, second = (client.generate("sd3", output_format=output_format).content for _ in range(2))
    assert first != second
    images: list[Image.Image] = [opened(data).convert("RGB") for data in (first, second)]
    assert images[0].tobytes() == images[1].tobytes()
